public import RPC

/// Every wait and limit of a channel.
public struct ChannelConfiguration: Sendable {
    public var client = ClientConfiguration()
    public var backoff = Backoff()
    /// How often a DNS name is asked again.
    public var resolveInterval: Duration = .seconds(5)
    /// Between two look-ups, however many connections were lost.
    public var resolvePause: Duration = .seconds(1)
    /// How long a call may wait for an endpoint to be ready; its own deadline may be sooner.
    public var readyTimeout: Duration = .seconds(5)
    /// Attempts of one call, the first included, each on another endpoint where there is one.
    public var maxAttempts = 4
    /// Calls that may wait for an endpoint; over it RESOURCE_EXHAUSTED at once.
    public var maxWaitingCalls = 1024
    /// For what endpoints answer. nil: the channel has one of its own, of `MemoryBudget.defaultLimit`. It must not be
    /// that of a server whose handlers hold their requests until an answer came: then each would wait for the other.
    public var budget: MemoryBudget?

    public init() {}
}
