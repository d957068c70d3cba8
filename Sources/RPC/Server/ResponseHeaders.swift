import HTTP2

/// The header fields of a server's answers.
struct ResponseHeaders {
    private let plain: [HeaderField]
    private let attached: [HeaderField]
    /// `grpc-accept-encoding`, for the first answer on a connection and with UNIMPLEMENTED, whose reason it may be.
    private let acceptedEncodings: HeaderField
    private let preparedPlain: PreparedFields
    private let preparedAttached: PreparedFields
    /// Trailers of a call that went well and has no metadata.
    let preparedOK = PreparedFields(ok)

    init(attachmentIdentity: String?, acceptedEncodings: HeaderField?) {
        self.acceptedEncodings = acceptedEncodings ?? HeaderField("grpc-accept-encoding", "identity")
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
        preparedPlain = PreparedFields(plain)
        preparedAttached = PreparedFields(attached)
    }

    /// - Parameter isFirst: of the connection.
    func head(
        attachments: Bool, _ metadata: Metadata = [:], compression: Compression = .identity, isFirst: Bool = false
    ) -> [HeaderField] {
        var fields = attachments ? attached : plain
        if compression != .identity { fields.append(HeaderField("grpc-encoding", compression.rawValue)) }
        if isFirst { fields.append(acceptedEncodings) }
        metadata.encode(into: &fields)
        return fields
    }

    /// Without metadata.
    func preparedHead(attachments: Bool) -> PreparedFields { attachments ? preparedAttached : preparedPlain }

    private static let ok = [HeaderField("grpc-status", "0")]

    /// - Parameter error: nil for OK.
    func trailers(_ error: RPCError?, _ metadata: Metadata) -> [HeaderField] {
        guard let error else {
            var fields = Self.ok
            metadata.encode(into: &fields)
            return fields
        }
        var fields = [HeaderField("grpc-status", "\(error.code.rawValue)")]
        if !error.message.isEmpty { fields.append(HeaderField("grpc-message", StatusMessage.encode(error.message))) }
        if error.code == .unimplemented { fields.append(acceptedEncodings) }
        metadata.encode(into: &fields)
        error.metadata.encode(into: &fields)
        return fields
    }
}
