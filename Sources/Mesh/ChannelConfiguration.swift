public import RPC

/// Every wait and limit of a channel.
public struct ChannelConfiguration: Sendable {
    /// With `ClientKeepalive.cluster`, unlike RPC's own.
    public var client = ChannelConfiguration.connecting
    /// Between attempts to connect to an endpoint.
    public var backoff = Backoff()
    /// The same is no longer than this, but for its jitter, while calls wait for an endpoint.
    public var reconnectWhileAwaited: Duration = .milliseconds(400)
    public var dns = DNSConfiguration()
    /// How often a DNS name is asked again at least; more often if its records hold for less.
    public var resolveInterval: Duration = .seconds(5)
    /// Each time up to this share sooner, by chance.
    public var resolveJitter = 0.2
    /// Between two look-ups, however many connections were lost and however short records hold.
    public var resolvePause: Duration = .seconds(1)
    /// How long the last good answer for a name counts when there is none, an empty one, or the name is gone.
    public var resolveKeep: Duration = .seconds(300)
    /// Of more that the target's names have, the same ones are taken each time.
    public var maxEndpoints = Target.maxEndpoints
    /// How long a call may wait for an endpoint to be ready; its own deadline may be sooner.
    public var readyTimeout: Duration = .seconds(5)
    /// Attempts of one call, the first included, each on another endpoint where there is one. All calls are taken as
    /// idempotent: one whose connection broke is sent once more even if this is 1.
    public var maxAttempts = 4
    /// As `RPCChannelConfiguration.maxUnsentAttempts`.
    public var maxUnsentAttempts = RPCChannelConfiguration.defaultMaxUnsentAttempts
    /// The endpoints do the work themselves: what one of them fails at is tried on another, slow answers are hedged, and
    /// calls that endpoints may have died of are kept apart. Of all hops on the way of a call only the last may do that,
    /// or attempts would multiply.
    public var isLastHop = false
    /// Which endpoint is picked.
    public var balancing = BalancingRules()
    /// When a second endpoint is asked beside a slow one.
    public var hedging = HedgingRules()
    /// How endpoints are asked what they say of themselves. nil: they are not, and all are taken to be the same.
    public var probe: EndpointProbe?
    /// Between two questions of a probe to an endpoint, and how long it may take for an answer.
    public var probeInterval: Duration = .seconds(1)
    public var probeTimeout: Duration = .seconds(1)
    /// Endpoints that are asked in a `probeInterval`, on average; of more each is asked less often.
    public var maxProbes = 16
    /// Of what an endpoint answers to a probe: it is read on the event loop of its connection.
    public var maxProbeBytes = 64 << 10
    /// Between two health checks of an endpoint that has no Watch, a tenth more or less, and how long it may take for an
    /// answer.
    public var healthInterval: Duration = .seconds(1)
    public var healthTimeout: Duration = .seconds(2)
    /// Before an attempt on an endpoint that was asked already.
    public var retryBackoff = Backoff(initial: .milliseconds(10), factor: 2, longest: .milliseconds(500))
    /// The budget of all retries: see `RetryThrottle`.
    public var retryTokens = 100
    /// What an answer brings back to the budget; the share of calls that may be retried in the long run.
    public var retryTokenRatio = 0.1
    /// Around each call.
    public var interceptors: [any ClientInterceptor] = []
    /// Calls that may wait for an endpoint; over it RESOURCE_EXHAUSTED at once.
    public var maxWaitingCalls = 1024
    /// For what endpoints answer. nil: the channel has one of its own, as large as `MemoryBudget.shared`. It must not
    /// be that of a server whose handlers hold their requests until an answer came: then each would wait for the other.
    public var budget: MemoryBudget?

    public init() {}

    private static var connecting: ClientConfiguration {
        var client = ClientConfiguration()
        client.keepalive = .cluster
        client.userAgent = "framemesh \(ClientConfiguration.runtimeName)"
        return client
    }

    /// What RPC does with the calls.
    var calls: RPCChannelConfiguration {
        let policy = RetryPolicy(
            maxAttempts: maxAttempts, backoff: retryBackoff, statusCodes: [.unavailable, .aborted],
            failover: FailoverPolicy(
                faults: isLastHop ? [.internal, .unknown, .dataLoss] : [], isolatesSuspects: isLastHop))
        var calls = RPCChannelConfiguration()
        calls.service = ServiceConfig(
            defaults: MethodConfig(attempts: .retry(policy)),
            throttle: RetryThrottle(maxTokens: retryTokens, tokenRatio: retryTokenRatio))
        calls.maxAttempts = maxAttempts
        calls.maxUnsentAttempts = maxUnsentAttempts
        calls.interceptors = interceptors
        return calls
    }
}
