import RPC

/// How long a lost endpoint is left alone before it is connected to again.
struct ReconnectPace: Equatable {
    /// Calls count as waiting for so long after the last one did: who failed a moment ago asks again.
    static let patience: Duration = .seconds(3)

    /// While nobody waits for an endpoint.
    var wait: Duration
    /// While calls do; no longer than `wait`.
    var whileAwaited: Duration

    init(after failures: Int, _ configuration: ChannelConfiguration, using random: inout some RandomNumberGenerator) {
        wait = configuration.backoff.wait(after: failures, using: &random)
        var awaited = configuration.backoff
        awaited.initial = min(awaited.initial, configuration.reconnectWhileAwaited)
        awaited.longest = min(awaited.longest, configuration.reconnectWhileAwaited)
        whileAwaited = min(wait, awaited.wait(after: failures, using: &random))
    }
}
