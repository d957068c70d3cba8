/// What a channel does with the calls of its user, and its limits.
public struct RPCChannelConfiguration: Sendable {
    public var service = ServiceConfig()
    /// The first one is outermost: it sees a call first and its end last. They see a call once;
    /// an `AttemptInterceptor` sees each attempt too.
    public var interceptors: [any ClientInterceptor] = []
    /// Caps every policy (gRPC A6 has 5).
    public var maxAttempts = 5
    /// Attempts of one call, one after the other, whose connection ended before they were sent: they are made again at
    /// once, whatever the policy says, and are not counted. Over it the call is UNAVAILABLE.
    public var maxUnsentAttempts = Self.defaultMaxUnsentAttempts
    /// Sent messages that one streaming call keeps for another attempt; over it the call is committed to the attempt
    /// that runs.
    public var maxReplayBytes = 256 << 10
    /// The same for all streaming calls of the channel together.
    public var maxReplayBytesOfAll = 16 << 20

    public init() {}

    public static let defaultMaxUnsentAttempts = 16
}
