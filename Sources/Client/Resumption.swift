import RPC

/// Whether and when a stream that lost its coordinator begins again.
struct Resumption {
    /// Without an answer for this long after a loss, the stream ends.
    private let timeout: Duration
    private(set) var losses = 0
    /// Why the last connection was of no use.
    private(set) var reason = ""
    /// When the first of the losses came since which no frame was answered.
    private var since: ContinuousClock.Instant?
    private var fruitless = 0
    /// The last loss was the first since a frame was answered.
    var isNews: Bool { fruitless == 1 }
    private var answered = 0
    private let backoff = Backoff()

    init(timeout: Duration) { self.timeout = timeout }

    /// - Parameters:
    ///   - answered: frames of the stream that were, so far.
    /// - Returns: how long to wait before the next connection; nil: the stream has failed.
    mutating func wait(after failure: any Error, answered: Int, now: ContinuousClock.Instant) -> Duration? {
        guard let error = failure as? RPCError, error.isOfConnection || error.code == .unavailable else { return nil }
        losses += 1
        reason = error.message
        if answered > self.answered || since == nil {
            since = now
            fruitless = 0
        }
        self.answered = answered
        fruitless += 1
        guard let since, now - since < timeout else { return nil }
        // A coordinator that is gone is not asked again at once, another one is.
        guard fruitless > 1 else { return .zero }
        var random = SystemRandomNumberGenerator()
        return backoff.wait(after: fruitless - 1, using: &random)
    }
}
