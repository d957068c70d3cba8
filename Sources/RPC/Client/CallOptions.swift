/// What a call asks for beside its request.
///
///     let answer = try await connection.unary("/shop.Till/Pay", request, options: .init(deadline: .after(.seconds(2))))
public struct CallOptions: Sendable {
    public var metadata: Metadata
    /// Sent to the peer as `grpc-timeout`, and enforced here. nil: the call may last for ever.
    public var deadline: Deadline?
    /// Wait for a connection rather than fail while none can be made. nil: as the channel's `ServiceConfig` says.
    public var waitForReady: Bool?
    /// How long a call that does not wait for ready waits all the same; nil: as the channel says. For channels that
    /// do.
    public var readyTimeout: Duration?
    /// In place of the one in the channel's `ServiceConfig`.
    public var attempts: AttemptPolicy?
    /// Fail with UNAUTHENTICATED rather than be sent where others could listen: without TLS, to another host.
    public var needsPrivateConnection = false
    /// A larger message of the answer, or attachment, ends the call with RESOURCE_EXHAUSTED, by its prefix alone. nil: as the
    /// channel's `ServiceConfig` and the connection's configuration say, which count in any case where they are less.
    public var maxResponseBytes: Int?
    /// Of the requests. A server that does not know it answers UNIMPLEMENTED.
    public var compression = Compression.identity
    /// The connection broke while this call ran before: `RPCError.isSuspect` of what it ended with. For channels that
    /// isolate such calls.
    public var isSuspect = false
    /// Whose call it is, where a channel serves many clients: those that wait for a connection get one in turn (`FairLine`).
    public var client = CallOrigin(0)
    /// What interceptors have left here for their own attempts.
    public var values = CallValues()
    /// Of an attempt: which one of its call it is.
    var place = AttemptPlace()
    /// Attempts of the same call before this one, told to the peer as `grpc-previous-rpc-attempts` (gRPC A6).
    var previousAttempts = 0

    public init(metadata: Metadata = Metadata(), deadline: Deadline? = nil, compression: Compression = .identity) {
        self.metadata = metadata
        self.deadline = deadline
        self.compression = compression
    }

    /// What a handler that calls on gives to the next hop: the rest of its own time, less `margin`, so that it can
    /// still answer when the next one was too slow. A call made in the handler's own task is cancelled with it.
    public init(from context: CallContext, metadata: Metadata = Metadata(), margin: Duration = CallOptions.hopMargin) {
        self.init(metadata: metadata)
        guard let own = context.deadline else { return }
        deadline = own.remaining > margin ? .after(own.remaining - margin) : own
    }

    public static let hopMargin: Duration = .milliseconds(5)
}
