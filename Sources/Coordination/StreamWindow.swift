import DequeModule
import Messages

/// The frames of one stream between their arrival and their answer; decides, and does nothing.
///
/// Every frame that `accept` takes leaves through `popAnswer` exactly once, in the order of arrival; at the end of a stream whose
/// client has left, through `abandon`.
struct StreamWindow<Work: Sendable, Answer: Sendable> {
    struct Running {
        var index: Int
        var work: Work
    }

    enum Drop {
        /// `latest`: this newer one took its place.
        case replaced(by: Work)
        /// `deadline`: it waited until it was too late.
        case expired
    }

    private struct Waiting {
        var index: Int
        var work: Work
        /// Nanoseconds of the caller's clock.
        var expires: UInt64
    }

    let policy: StreamPolicy
    let limits: StreamLimits
    /// Makes the answer of a frame that did not run.
    private let answer: @Sendable (Work, Drop) -> Answer
    private var waiting = Deque<Waiting>()
    private(set) var running = 0
    /// By index; a frame's pixels are let go as soon as its answer is here.
    private var answers: [Int: Answer] = [:]
    private var nextArrival = 0
    private var nextAnswer = 0

    init(policy: StreamPolicy, limits: StreamLimits, dropped answer: @escaping @Sendable (Work, Drop) -> Answer) {
        self.policy = policy
        self.limits = limits
        self.answer = answer
    }

    /// Accepted and not yet popped.
    var unanswered: Int { nextArrival - nextAnswer }

    /// Whether the next frame may come; if not, the sender is held back.
    var hasRoom: Bool {
        switch policy {
        case .lossless: unanswered < limits.losslessWindow
        case .latest: unanswered < limits.unansweredFrames
        case .deadline: unanswered < limits.unansweredFrames && waiting.count < limits.deadlineQueue
        }
    }

    /// Whether `popAnswer` has something.
    var hasAnswer: Bool { answers[nextAnswer] != nil }

    /// Frames that may run at once.
    var concurrency: Int { policy == .lossless ? limits.losslessWindow : limits.liveWindow }

    /// Where the newest frame counts and some run, another one would only grow old behind them: here, a newer one can take its
    /// place.
    private func mayStart(isBusy: () -> Bool) -> Bool {
        running < concurrency && (running == 0 || policy != .latest || !isBusy())
    }

    /// Takes a frame.
    /// - Parameter expires: when it is too late for it, nanoseconds.
    mutating func accept(_ work: Work, expires: UInt64) {
        if policy == .latest {
            while let old = waiting.popFirst() { answers[old.index] = answer(old.work, .replaced(by: work)) }
        }
        waiting.append(Waiting(index: nextArrival, work: work, expires: expires))
        nextArrival += 1
    }

    /// The next frame to run, if one may start.
    /// - Parameter isBusy: whoever would run it has enough to do; asked only where it matters.
    mutating func start(now: UInt64, isBusy: () -> Bool = { false }) -> Running? {
        while !waiting.isEmpty, mayStart(isBusy: isBusy), let next = waiting.popFirst() {
            if policy == .deadline, next.expires <= now {
                answers[next.index] = answer(next.work, .expired)
                continue
            }
            running += 1
            return Running(index: next.index, work: next.work)
        }
        return nil
    }

    mutating func finish(_ run: Running, _ answer: Answer) {
        running -= 1
        answers[run.index] = answer
    }

    /// The next answer in order, when it is there.
    mutating func popAnswer() -> Answer? {
        guard let answer = answers.removeValue(forKey: nextAnswer) else { return nil }
        nextAnswer += 1
        return answer
    }

    /// Takes away what nobody will pop. Nothing runs any more.
    mutating func abandon() -> (waiting: [Work], answers: [Answer]) {
        let left = (waiting.map(\.work), answers.sorted { $0.key < $1.key }.map(\.value))
        waiting = []
        answers = [:]
        nextAnswer = nextArrival
        return left
    }
}
