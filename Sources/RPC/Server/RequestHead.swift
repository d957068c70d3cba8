import HTTP2
import NIOCore

/// What the header fields of a request ask for.
struct RequestHead {
    /// What to do with a request, before anything of it was run.
    enum Verdict {
        case call(RequestHead)
        /// Not gRPC.
        case http(HTTPAnswer)
        /// gRPC, but wrong.
        case refused(RPCError)
    }

    /// nil: nobody knows the path.
    var method: ServerMethod?
    /// Which of the fields is the path.
    private var path = 0
    var takesAttachments = false
    var timeout: Duration?
    /// Which of the fields says it.
    private(set) var timeoutPosition: Int?
    /// `grpc-encoding`, unless identity.
    var encoding: String?
    var acceptedEncodings: String?
    var metadata = Metadata()

    func path(of fields: HeaderFields) -> String { fields.withField(at: path) { _, value in value.text } }

    /// The same with another `grpc-timeout`, which `fields` have in its place; nil: it is not one.
    func withTimeout(of fields: HeaderFields) -> RequestHead? {
        guard let timeoutPosition else { return nil }
        var head = self
        head.timeout = fields.withField(at: timeoutPosition) { name, value in
            name.equals("grpc-timeout") ? Timeout.parse(value) : nil
        }
        return head.timeout == nil ? nil : head
    }

    /// - Parameter maxMetadata: values.
    static func judge(_ fields: HeaderFields, _ methods: MethodTable, maxMetadata: Int) -> Verdict {
        var head = RequestHead()
        var seen = Seen()
        fields.visit { position, name, value in
            switch Name(name) {
            case .method: seen.method = HTTPMethod(value)
            case .path:
                head.path = position
                head.method = methods.find(value)
                seen.isRoot = value.equals("/")
            case .contentType:
                head.takesAttachments = value.equals("application/grpc+framemesh")
                seen.isGRPC = head.takesAttachments || Framing.isGRPC(value)
            case .timeout:
                head.timeout = Timeout.parse(value)
                head.timeoutPosition = position
            case .encoding: head.encoding = value.equals("identity") ? nil : value.text
            case .acceptedEncodings: head.acceptedEncodings = value.text
            case .known: break
            case .metadata:
                // After the first that is wrong, nobody reads the others.
                guard seen.badMetadata == nil else { break }
                do throws(RPCError) {
                    try head.metadata.receive(HeaderField(name.text, value.text), upTo: maxMetadata)
                } catch { seen.badMetadata = error }
            }
        }
        if seen.isRoot, seen.method == .get || seen.method == .head {
            return .http(HTTPAnswer(.root, to: seen.method))
        }
        guard seen.method == .post else {
            return .http(HTTPAnswer(seen.isRoot ? .wrongMethodOfRoot : .wrongMethod, to: seen.method))
        }
        guard seen.isGRPC else { return .http(HTTPAnswer(.wrongContent, to: .post)) }
        if let position = head.timeoutPosition, head.timeout == nil {
            let text = fields[position].value.prefix(32)
            return .refused(RPCError(.internal, "grpc-timeout '\(text)' is malformed", limit: .malformedCall))
        }
        if let error = seen.badMetadata { return .refused(error) }
        return .call(head)
    }

    private struct Seen {
        var method = HTTPMethod.other
        var isRoot = false
        var isGRPC = false
        var badMetadata: RPCError?
    }

    private enum Name {
        case method, path, contentType, timeout, encoding, acceptedEncodings
        /// Says nothing to us.
        case known
        case metadata

        init(_ name: Span<UInt8>) {
            switch name.count {
            case 2 where name.equals("te"): self = .known
            case 5 where name.equals(":path"): self = .path
            case 7 where name.equals(":method"): self = .method
            case 7 where name.equals(":scheme"): self = .known
            case 10 where name.equals(":authority"): self = .known
            case 12 where name.equals("content-type"): self = .contentType
            case 12 where name.equals("grpc-timeout"): self = .timeout
            case 13 where name.equals("grpc-encoding"): self = .encoding
            case 20 where name.equals("grpc-accept-encoding"): self = .acceptedEncodings
            default: self = .metadata
            }
        }
    }
}
