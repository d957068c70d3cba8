import HTTP2

enum HTTPMethod {
    case post, get, head, other

    init(_ name: Span<UInt8>) {
        self = name.equals("POST") ? .post : name.equals("GET") ? .get : name.equals("HEAD") ? .head : .other
    }
}

/// What a request that is not gRPC gets: a status and a line of text.
struct HTTPAnswer {
    enum Kind { case root, wrongMethod, wrongMethodOfRoot, wrongContent }

    let status: Int
    let text: String
    /// The answer to HEAD has none, though its length is told (RFC 9110, section 9.3.2).
    let hasBody: Bool
    private let allow: String?

    init(_ kind: Kind, to method: HTTPMethod) {
        hasBody = method != .head
        switch kind {
        case .root: (status, text, allow) = (200, "gRPC is served here\n", nil)
        // RFC 9110, section 15.5.6 wants to hear which are right.
        case .wrongMethod: (status, text, allow) = (405, "method must be POST\n", "POST")
        case .wrongMethodOfRoot: (status, text, allow) = (405, "method must be GET, HEAD or POST\n", "GET, HEAD, POST")
        case .wrongContent: (status, text, allow) = (415, "content-type must be application/grpc\n", nil)
        }
    }

    var fields: [HeaderField] {
        let fields = [
            HeaderField(":status", "\(status)"), HeaderField("content-type", "text/plain"),
            HeaderField("content-length", "\(text.utf8.count)"),
        ]
        return fields + (allow.map { [HeaderField("allow", $0)] } ?? [])
    }
}
