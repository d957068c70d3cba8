import HTTP2

/// The header fields of a server's answers.
struct ResponseHeaders {
    private let plain: [HeaderField]
    private let attached: [HeaderField]

    init(attachmentIdentity: String?) {
        func fields(_ contentType: String) -> [HeaderField] {
            var fields = [HeaderField(":status", "200"), HeaderField("content-type", contentType)]
            if let attachmentIdentity {
                fields.append(
                    HeaderField(Framing.framingHeader, "\(Framing.framingVersion); \(attachmentIdentity)"))
            }
            return fields
        }
        plain = fields(Framing.plainType)
        attached = fields(Framing.attachmentType)
    }

    func head(attachments: Bool, _ metadata: Metadata = [:]) -> [HeaderField] {
        var fields = attachments ? attached : plain
        metadata.encode(into: &fields)
        return fields
    }

    private static let ok = [HeaderField("grpc-status", "0")]

    /// - Parameter error: nil for OK.
    static func trailers(_ error: RPCError?, _ metadata: Metadata) -> [HeaderField] {
        guard let error else {
            var fields = ok
            metadata.encode(into: &fields)
            return fields
        }
        var fields = [HeaderField("grpc-status", "\(error.code.rawValue)")]
        if !error.message.isEmpty { fields.append(HeaderField("grpc-message", StatusMessage.encode(error.message))) }
        if error.code == .unimplemented { fields.append(HeaderField("grpc-accept-encoding", "identity")) }
        metadata.encode(into: &fields)
        error.metadata.encode(into: &fields)
        return fields
    }
}
