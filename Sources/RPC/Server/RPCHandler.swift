/// What a handler may know of its call.
public struct CallContext: Sendable {
    public var path: String
    public var metadata: Metadata
    public var deadline: Deadline?
    public var peer: String
    /// The address that it comes from, as a number.
    public internal(set) var origin = CallOrigin(0)
    /// The call uses the attachment framing.
    public var takesAttachments: Bool
    /// What the peer has proved in the TLS handshake; nil without a client certificate.
    public internal(set) var certificate: PeerCertificate?
    /// Who calls; nil where nobody asked for it. Set by an interceptor, for example `AuthInterceptor`.
    public var principal: Principal?
    /// What interceptors have left here.
    public var values = CallValues()
    /// `grpc-accept-encoding`.
    var acceptedEncodings: String?

    /// Whether the client takes answers of this compression.
    public func accepts(_ compression: Compression) -> Bool { compression.isAccepted(by: acceptedEncodings) }
}

public enum RPCHandler: Sendable {
    /// Runs on the event loop: only for trivial work that never blocks. (A compressed request is inflated, and then
    /// answered, in the thread pool, unless its method takes no more than 16 KiB: `MethodLimits`.) A request that came
    /// in one read lies in the receive buffer, whatever its size: who keeps it holds up to 512 KiB that no budget
    /// counts, so keep a copy. (The runtime does so with an answer that is a part of it.) What handlers throw: see
    /// `RPCErrorConvertible`.
    case immediate(@Sendable (CallContext, Payload) throws -> UnaryResponse)
    case unary(@Sendable (CallContext, Payload) async throws -> UnaryResponse)
    /// Client streaming, server streaming and bidirectional calls. Returning means status OK. The task is
    /// cancelled with the call.
    case stream(@Sendable (CallContext, MessageStream, ResponseWriter) async throws -> Void)
}

public protocol RPCService: Sendable {
    /// For example `hello.v1.Greeter`.
    var serviceName: String { get }
    /// By method name, for example `Greet`.
    var methods: [String: RPCHandler] { get }
    /// Asked once for each method, when the server starts. A method that anybody may call wants a small limit.
    func limits(of method: String) -> MethodLimits
    /// What its .proto files say, for server reflection (`Reflection`); nil: it is listed by name only.
    var descriptors: DescriptorSet? { get }
    /// The server will end: no new calls come, running ones may finish. A service ends here what would run for ever.
    func drain()
}

extension RPCService {
    public var descriptors: DescriptorSet? { nil }
    public func limits(of method: String) -> MethodLimits { MethodLimits() }
    public func drain() {}
}
