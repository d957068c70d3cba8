import NIOCore
import RPC

/// Whether a request that the receiver did not take is sent again (OTLP, "Failures").
struct ExportRetry {
    let limits: TraceLimits
    /// When it was first sent.
    let start: NIODeadline
    private var attempts = 0

    init(_ limits: TraceLimits, start: NIODeadline) {
        self.limits = limits
        self.start = start
    }

    /// - Returns: after how long; nil: not at all.
    mutating func wait(
        after error: RPCError, at now: NIODeadline, using random: inout some RandomNumberGenerator
    ) -> Duration? {
        let told = error.richStatus?.retryDelay
        guard Self.canBeRetried(error.code, hasDelay: told != nil) else { return nil }
        attempts += 1
        // A receiver may ask for more time than the backoff, not for less.
        let wait = max(told ?? .zero, limits.backoff.wait(after: attempts, using: &random))
        let end = start + TimeAmount(limits.retryTime)
        return TimeAmount(wait) < end - now ? wait : nil
    }

    /// A receiver that is full is asked again only if it says when.
    private static func canBeRetried(_ code: StatusCode, hasDelay: Bool) -> Bool {
        switch code {
        case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss: true
        case .resourceExhausted: hasDelay
        default: false
        }
    }
}
