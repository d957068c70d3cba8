import DequeModule
import NIOCore
import RPC

/// What one receiver is still to be told, in order: a delivery is tried again until it arrives or is given up.
struct WebhookQueue: Sendable {
    struct Delivery: Sendable {
        /// The same at each attempt, so that a receiver knows what it has heard before.
        var id: String
        var body: ByteBuffer
        var failures = 0
    }

    struct Counts: Sendable, Hashable {
        var delivered = 0
        /// Given up.
        var failed = 0
        /// There were too many, or there was no time left.
        var dropped = 0
    }

    enum Answer: Sendable, Equatable {
        /// Of HTTP.
        case status(Int, retryAfter: Duration?)
        /// None came.
        case none
        /// It may not be called.
        case forbidden

        var verdict: Verdict {
            switch self {
            case .status(200..<300, _): .heard
            case .status(let code, let retryAfter) where code >= 500 || [408, 425, 429].contains(code):
                .again(atLeast: retryAfter)
            case .none: .again(atLeast: nil)
            // It would say the same again. A redirect is no answer: it could lead anywhere.
            case .status, .forbidden: .refused
            }
        }
    }

    enum Verdict: Sendable, Equatable {
        case heard, refused
        /// It may be asked again.
        case again(atLeast: Duration?)
    }

    enum Step: Sendable, Equatable {
        /// The next delivery.
        case go
        /// The same one, after this.
        case again(after: Duration)
    }

    private let limits: WebhookLimits
    private var waiting = Deque<Delivery>()
    private(set) var counts = Counts()

    init(_ limits: WebhookLimits) { self.limits = limits }

    var first: Delivery? { waiting.first }
    var count: Int { waiting.count }

    mutating func append(_ delivery: Delivery) {
        guard waiting.count < limits.queue else { return counts.dropped += 1 }
        waiting.append(delivery)
    }

    /// What waits is not told.
    mutating func abandon() {
        counts.dropped += waiting.count
        waiting = []
    }

    /// What the receiver says to the first delivery.
    mutating func hear(_ answer: Answer, using random: inout some RandomNumberGenerator) -> Step {
        switch answer.verdict {
        case .heard:
            waiting.removeFirst()
            counts.delivered += 1
            return .go
        case .again(let least): return fail(atLeast: least, using: &random)
        case .refused:
            waiting.removeFirst()
            counts.failed += 1
            return .go
        }
    }

    private mutating func fail(atLeast least: Duration?, using random: inout some RandomNumberGenerator) -> Step {
        waiting[0].failures += 1
        guard waiting[0].failures < limits.attempts else {
            waiting.removeFirst()
            counts.failed += 1
            return .go
        }
        let wait = limits.backoff.wait(after: waiting[0].failures, using: &random)
        return .again(after: max(wait, min(least ?? .zero, limits.backoff.longest)))
    }
}
