extension Backoff {
    /// A jitter of 1 would be a wait of nothing.
    public static let limits: [Limit<Backoff>] = [
        Limit("initial", \.initial, "The first wait."),
        Limit("factor", \.factor, in: 1...100, "How many times as long each wait is as the one before."),
        Limit("longest", \.longest, "The longest wait."),
        Limit("jitter", \.jitter, in: 0...0.99, "The share that a wait is longer or shorter by chance."),
    ]
}

extension EndpointConfiguration {
    /// Those of `ClientConfiguration`, and of how the channel connects.
    public static let limits: [Limit<EndpointConfiguration>] =
        ClientConfiguration.limits.map { $0.under(\.client) }
        + Backoff.limits.map { $0.named(after: "reconnect-").under(\.backoff) }
        + [Limit("max-waiting-calls", \.maxWaitingCalls, .count, "Calls that wait for a connection.")]
}

extension RPCChannelConfiguration {
    public static let limits: [Limit<RPCChannelConfiguration>] = [
        Limit("max-attempts", \.maxAttempts, .count, in: 1...100, "Attempts of one call, the first included."),
        Limit(
            "max-unsent-attempts", \.maxUnsentAttempts, .count,
            "Attempts of one call whose connection ended before they were sent."),
        Limit(
            "max-replay-bytes", \.maxReplayBytes, .bytes, in: 0...Int(Int32.max),
            "Sent messages that a streaming call keeps for another attempt."),
        Limit(
            "max-replay-bytes-of-all", \.maxReplayBytesOfAll, .bytes, in: 0...Int(Int32.max),
            "The same of all calls of a channel."),
    ]
}
