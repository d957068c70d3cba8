import RPC

/// Whether and when a stream that lost its coordinator begins again.
struct Resumption {
    /// Without an answer, or a connection that goes well, for this long after a loss, the stream ends.
    private var timeout: Duration
    private(set) var losses = 0
    /// Why the last connection was of no use.
    private(set) var reason = ""
    /// When the first of the losses came since which no frame was answered and no connection went well.
    private var since: ContinuousClock.Instant?
    private var fruitless = 0
    /// Losses that came one soon after the other, answers between them or not.
    private var hasty = 0
    /// When a coordinator was found that is lost now; nil: there was none.
    private var found: ContinuousClock.Instant?
    /// The last loss was the first since a frame was answered, or a connection went well.
    var isNews: Bool { fruitless == 1 }
    private var answered = 0
    private let backoff = Backoff()
    /// What went well for so long is begun again at once.
    private static let goodTime: Duration = .seconds(5)

    init(timeout: Duration) { self.timeout = timeout }

    /// From now on it ends after `timeout`, if that is sooner.
    mutating func hurry(_ timeout: Duration) { self.timeout = min(self.timeout, timeout) }

    /// The stream has begun at a coordinator.
    mutating func opened(at now: ContinuousClock.Instant) { found = now }

    /// - Parameters:
    ///   - answered: frames of the stream that were, so far.
    /// - Returns: how long to wait before the next connection; nil: the stream has failed.
    mutating func wait(after failure: any Error, answered: Int, now: ContinuousClock.Instant) -> Duration? {
        guard let error = failure as? RPCError, error.isOfConnection || error.code == .unavailable else { return nil }
        losses += 1
        reason = error.message
        // One answer between two losses is no recovery; of a quiet stream nothing is to be answered.
        let wentWell = found.map { now - $0 >= Self.goodTime } ?? false
        found = nil
        if wentWell { hasty = 0 }
        hasty += 1
        if wentWell || answered > self.answered || since == nil {
            since = now
            fruitless = 0
        }
        self.answered = answered
        fruitless += 1
        guard let since, now - since < timeout else { return nil }
        // A coordinator that is gone is not asked again at once, another one is.
        var wait: Duration = .zero
        if hasty > 1 {
            var random = SystemRandomNumberGenerator()
            wait = backoff.wait(after: hasty - 1, using: &random)
        }
        // The last look is at the end of the time, not behind it.
        return min(wait, timeout - (now - since))
    }

    /// How long ago the first of several losses in a row came; nil: it is the last one, too.
    func lasting(now: ContinuousClock.Instant) -> Duration? { fruitless > 1 ? since.map { now - $0 } : nil }

    /// How long the next connection may wait for a coordinator; nil: none was lost yet.
    func patience(now: ContinuousClock.Instant) -> Duration? {
        since.map { max(.zero, timeout - (now - $0)) }
    }
}
