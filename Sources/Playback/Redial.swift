package import RPC

/// When a source that is gone is called again, and when no more.
package struct Redial: Sendable {
    private let backoff: Backoff
    /// Calls in a row without a frame.
    private let attempts: Int
    private var failures = 0
    private var hadFrames = false

    package init(_ limits: SourceLimits) {
        backoff = limits.reconnect
        attempts = limits.attempts
    }

    /// The call shows something.
    package mutating func hadFrame() { hadFrames = true }

    /// The call is over.
    /// - Returns: how long to wait for the next one; nil: there is none.
    package mutating func wait(using random: inout some RandomNumberGenerator) -> Duration? {
        // It did work: the next call is a first one.
        failures = hadFrames ? 1 : failures + 1
        hadFrames = false
        return failures < attempts ? backoff.wait(after: failures, using: &random) : nil
    }
}
