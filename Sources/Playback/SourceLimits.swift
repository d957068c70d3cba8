package import RPC

/// How patient one is with a source that is called.
package struct SourceLimits: Sendable, Equatable {
    /// Before a source is called again.
    package var reconnect = Backoff(initial: .milliseconds(500), factor: 2, longest: .seconds(15), jitter: 0.3)
    /// Calls in a row without a frame, before a source has failed.
    package var attempts = 8

    package init() {}

    package static let limits: [Limit<SourceLimits>] = [
        Limit(
            "stream-reconnect", \.reconnect.initial, "Before a source is called again; doubled for each further call."),
        Limit("stream-longest-reconnect", \.reconnect.longest, "The longest wait before a source is called again."),
        Limit("stream-attempts", \.attempts, .count, "Calls in a row without a frame before a source has failed."),
    ]
}
