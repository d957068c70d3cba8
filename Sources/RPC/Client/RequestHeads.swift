import HTTP2

/// The header fields that calls on one connection have in common, made once for each path.
struct RequestHeads {
    /// The session keeps what was sent once; more paths than this are written out for each call.
    private static let maxPaths = 64

    private struct Prepared {
        let path: String
        let plain: PreparedFields
        let attached: PreparedFields
    }

    private let scheme: String
    private let authority: String
    private let userAgent: String
    private let acceptedEncodings: HeaderField?
    private var byPath: [String: Prepared] = [:]
    private var last: Prepared?

    init(scheme: String, authority: String, userAgent: String, acceptedEncodings: HeaderField?) {
        self.scheme = scheme
        self.authority = authority
        self.userAgent = userAgent
        self.acceptedEncodings = acceptedEncodings
    }

    /// nil: there are too many paths; `fields` has them.
    mutating func prepared(_ path: String, attachments: Bool) -> PreparedFields? {
        if last?.path != path {
            guard let prepared = byPath[path] ?? prepare(path) else { return nil }
            last = prepared
        }
        return attachments ? last?.attached : last?.plain
    }

    private mutating func prepare(_ path: String) -> Prepared? {
        guard byPath.count < Self.maxPaths else { return nil }
        let prepared = Prepared(
            path: path, plain: PreparedFields(fields(path, attachments: false)),
            attached: PreparedFields(fields(path, attachments: true)))
        byPath[path] = prepared
        return prepared
    }

    func fields(_ path: String, attachments: Bool) -> [HeaderField] {
        var fields = [
            HeaderField(":method", "POST"), HeaderField(":scheme", scheme), HeaderField(":path", path),
            HeaderField(":authority", authority), HeaderField("te", "trailers"),
            HeaderField("content-type", attachments ? Framing.attachmentType : Framing.plainType),
            HeaderField("user-agent", userAgent),
        ]
        if let acceptedEncodings { fields.append(acceptedEncodings) }
        return fields
    }

    /// What nghttp2 can send at most, by the count of RFC 9113, section 6.5.2, which is more than its own. A head beyond it
    /// would look like a stream that the peer has refused.
    private static let mostBytes = 64 << 10
    private static let bytesPerField = 32
    /// Fields of the call itself beside its path, and their names.
    private static let ownBytes = 1024

    /// Why a call is not sent; nil: it can be.
    func tooLarge(_ path: String, _ metadata: Metadata) -> RPCError? {
        // Most have none, and are not looked at.
        guard !metadata.isEmpty || path.utf8.count > Self.ownBytes else { return nil }
        let bytes = metadata.wireBytes(beside: Self.bytesPerField)
        let all = bytes + path.utf8.count + authority.utf8.count + userAgent.utf8.count + Self.ownBytes
        guard all > Self.mostBytes else { return nil }
        return RPCError(.resourceExhausted, "metadata of \(bytes) bytes is more than can be sent", limit: .metadata)
    }

    /// What this call has beside them.
    static func own(_ options: CallOptions) -> [HeaderField] {
        var fields: [HeaderField] = []
        if let deadline = options.deadline {
            fields.append(HeaderField("grpc-timeout", Timeout.encode(deadline.remaining)))
        }
        if options.compression != .identity {
            fields.append(HeaderField("grpc-encoding", options.compression.rawValue))
        }
        if options.previousAttempts > 0 {
            fields.append(HeaderField("grpc-previous-rpc-attempts", "\(options.previousAttempts)"))
        }
        options.metadata.encode(into: &fields)
        return fields
    }
}
