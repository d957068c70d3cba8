import HTTP2
import NIOCore

/// What the header fields of a request ask for.
struct RequestHead {
    /// What to do with a request, before anything of it was run.
    enum Verdict {
        case call(RequestHead)
        /// Not gRPC: an HTTP status and a line of text.
        case http(status: Int, text: String)
        /// gRPC, but wrong.
        case refused(RPCError)
    }

    var path: String
    var contentType: String
    var timeout: Duration?
    var encoding: String?
    var acceptedEncodings: String?
    var metadata: Metadata

    var takesAttachments: Bool { contentType == Framing.attachmentType }

    static func judge(_ fields: [HeaderField]) -> Verdict {
        var method = ""
        var timeoutText: String?
        var head = RequestHead(path: "", contentType: "", metadata: Metadata())
        var hasMetadata = false
        for field in fields {
            switch field.name {
            case ":method": method = field.value
            case ":path": head.path = field.value
            case "content-type": head.contentType = field.value
            case "grpc-timeout": timeoutText = field.value
            case "grpc-encoding": head.encoding = field.value
            case "grpc-accept-encoding": head.acceptedEncodings = field.value
            case ":scheme", ":authority", "te": break
            default: hasMetadata = true
            }
        }
        if method == "GET", head.path == "/" { return .http(status: 200, text: "framemesh: gRPC is served here\n") }
        guard method == "POST" else { return .http(status: 405, text: "method must be POST\n") }
        guard Framing.isGRPC(head.contentType) else {
            return .http(status: 415, text: "content-type must be application/grpc\n")
        }
        if let timeoutText {
            guard let timeout = Timeout.parse(timeoutText) else {
                return .refused(
                    RPCError(.internal, "grpc-timeout '\(timeoutText.prefix(32))' is malformed", limit: .malformedCall))
            }
            head.timeout = timeout
        }
        if hasMetadata {
            do throws(RPCError) { head.metadata = try .decode(fields) } catch { return .refused(error) }
        }
        return .call(head)
    }
}
