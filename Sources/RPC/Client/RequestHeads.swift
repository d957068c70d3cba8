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
