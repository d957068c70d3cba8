public import RPC

extension ChannelConfiguration {
    /// Every limit of a channel but `maxAttempts`, in the order of docs/limits.md.
    public static let limits: [Limit<ChannelConfiguration>] =
        ClientConfiguration.limits.map { $0.under(\.client) }
        + Backoff.limits.map { $0.named(after: "reconnect-").under(\.backoff) }
        + Backoff.limits.map { $0.named(after: "retry-").under(\.retryBackoff) }
        + DNSConfiguration.limits.map { $0.under(\.dns) } + BalancingRules.limits.map { $0.under(\.balancing) }
        + HedgingRules.limits.map { $0.under(\.hedging) } + own

    /// What is done again and again must leave time for other things.
    private static func least(_ time: Duration) -> ClosedRange<Duration> {
        time...Limit<ChannelConfiguration>.times.upperBound
    }

    private static let own: [Limit<ChannelConfiguration>] = [
        Limit(
            "retry-tokens", \.retryTokens, .count, in: 1...1000,
            "The budget of all retries; a failed attempt takes one."),
        Limit(
            "retry-token-ratio", \.retryTokenRatio, in: 0.001...1000,
            "What an answer brings back to retry-tokens: the share of calls that may be retried."),
        Limit(
            "reconnect-awaited", \.reconnectWhileAwaited, in: least(.milliseconds(10)),
            "The longest wait between attempts to connect while calls wait for an endpoint."),
        Limit(
            "resolve-interval", \.resolveInterval, in: least(.milliseconds(100)),
            "How often a DNS name is asked again at least."),
        Limit("resolve-jitter", \.resolveJitter, in: 0...0.99, "The share that a look-up is sooner by chance."),
        Limit(
            "resolve-pause", \.resolvePause, in: least(.milliseconds(100)),
            "Between two look-ups, however many connections were lost."),
        Limit("resolve-keep", \.resolveKeep, "How long the last good answer counts when DNS has none."),
        Limit("max-endpoints", \.maxEndpoints, .count, "Endpoints of a target; of more, the same ones are taken."),
        Limit(
            "probe-interval", \.probeInterval, in: least(.milliseconds(100)),
            "Between two questions to an endpoint what it has to do."),
        Limit(
            "max-probes", \.maxProbes, .count,
            "Endpoints that are asked in a probe-interval; of more each is asked less often."),
        Limit("max-probe-bytes", \.maxProbeBytes, .bytes, "An endpoint's answer to that question."),
        Limit("probe-timeout", \.probeTimeout, "An endpoint that did not answer by then gets no calls until it does."),
        Limit(
            "health-interval", \.healthInterval, in: least(.milliseconds(100)),
            "Between two health checks of an endpoint that has no Watch."),
        Limit("health-timeout", \.healthTimeout, "An answer to a health check."),
        Limit("ready-timeout", \.readyTimeout, "How long a call waits for an endpoint to be ready."),
        Limit(
            "max-unsent-attempts", \.maxUnsentAttempts, .count,
            "Attempts of one call whose connection ended before they were sent."),
        Limit("max-waiting-calls", \.maxWaitingCalls, .count, "Calls that wait for an endpoint."),
    ]
}
