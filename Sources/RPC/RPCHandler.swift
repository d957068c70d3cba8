/// What a handler may know of its call.
public struct CallContext: Sendable {
    public var path: String
    public var metadata: Metadata
    public var deadline: Deadline?
    public var peer: String
    /// The call uses the attachment framing.
    public var takesAttachments: Bool
}

public enum RPCHandler: Sendable {
    /// Runs on the event loop: only for trivial work that never blocks.
    case immediate(@Sendable (CallContext, Payload) throws -> UnaryResponse)
    case unary(@Sendable (CallContext, Payload) async throws -> UnaryResponse)
    /// Client streaming, server streaming and bidirectional calls. Returning means status OK; throwing
    /// `RPCError` means its status; any other error is INTERNAL. The task is cancelled with the call.
    case stream(@Sendable (CallContext, MessageStream, ResponseWriter) async throws -> Void)
}

public protocol RPCService: Sendable {
    /// For example `framemesh.v1.Detector`.
    var serviceName: String { get }
    /// By method name, for example `Detect`.
    var methods: [String: RPCHandler] { get }
    /// The server will end: no new calls come, running ones may finish. A service ends here what would run for ever.
    func drain()
}

extension RPCService {
    public func drain() {}
}
