import Bench
import Synchronization

/// Takes what becomes of frames, from all callers at once; a window is what came between two `take`.
final class Recorder: Sendable {
    /// A frame that was sent, until its answer.
    struct Ticket: Sendable, Hashable {
        fileprivate let number: UInt64
    }

    /// What a window's end finds.
    struct Window: Sendable {
        /// What ended since the last time.
        var tally = Tally()
        /// Frames without an answer, with when they were planned to be sent.
        var onTheirWay: [Ticket: ContinuousClock.Instant] = [:]
        /// Of those that were on their way at an earlier end, these have ended without an answer.
        fileprivate var lost: Set<Ticket> = []
    }

    private struct State {
        var tally = Tally()
        /// Never taken.
        var whole = WholeRun()
        var onTheirWay: [Ticket: ContinuousClock.Instant] = [:]
        var next: UInt64 = 0
        /// Frames from this number on were sent since the last `take`.
        var windowBegin: UInt64 = 0
        /// That were on their way at a `take`, and ended without an answer.
        var lost: Set<Ticket> = []
        var overdue: [@Sendable (ContinuousClock.Instant) -> LatencyHistogram] = []
    }

    private let state = Mutex(State())
    private let (started, start) = AsyncStream<Never>.makeStream()

    /// The load runs: what needs time before has had it.
    func begin() { start.finish() }

    /// Suspends until the load runs, or the task is cancelled.
    func waitForBegin() async { for await _ in started {} }

    /// A frame is sent.
    /// - Parameter planned: when it should have been.
    func sent(planned: ContinuousClock.Instant) -> Ticket {
        state.withLock { state in
            let ticket = Ticket(number: state.next)
            state.next += 1
            state.onTheirWay[ticket] = planned
            state.tally.countSent()
            return ticket
        }
    }

    /// It has ended. One of which this is never said was without an answer at the end.
    func ended(_ ticket: Ticket, _ outcome: FrameOutcome) {
        state.withLock { state in
            state.onTheirWay[ticket] = nil
            if !outcome.isAnswer, ticket.number < state.windowBegin { state.lost.insert(ticket) }
            state.tally.record(outcome)
            state.whole.record(outcome)
        }
    }

    func countOutOfOrder() {
        state.withLock { state in
            state.tally.countOutOfOrder()
            state.whole.countOutOfOrder()
        }
    }

    func resumed(again: Int) { state.withLock { $0.tally.resumed(again: again) } }

    /// A load that ends says how old those frames are that were due before the end of the measurement, which only it knows, and
    /// were not sent by then.
    func unsent(_ ages: @Sendable @escaping (_ end: ContinuousClock.Instant) -> LatencyHistogram) {
        state.withLock { $0.overdue.append(ages) }
    }

    /// All since the last time.
    func take() -> Window {
        state.withLock { state in
            defer {
                state.tally = Tally()
                state.windowBegin = state.next
            }
            return Window(tally: state.tally, onTheirWay: state.onTheirWay, lost: state.lost)
        }
    }

    /// What was cut off by a measurement that is over, as its load is.
    /// - Parameters:
    ///   - begin, first: when it began, and what was on its way then.
    ///   - end, last: the same of its end.
    func cut(
        begin: ContinuousClock.Instant, _ first: Window, end: ContinuousClock.Instant, _ last: Window
    ) -> CutFrames {
        var cut = CutFrames()
        // What failed meanwhile is in no latency; nor is the time that it took before.
        for (ticket, planned) in first.onTheirWay where !last.lost.contains(ticket) {
            cut.add(begun: begin - planned)
        }
        for planned in last.onTheirWay.values { cut.add(unanswered: end - planned) }
        for ages in state.withLock({ $0.overdue }) { cut.add(unsent: ages(end)) }
        return cut
    }

    /// All that ended until now, in a window or not.
    var whole: WholeRun { state.withLock { $0.whole } }

    /// Frames without an answer.
    var waiting: Int { state.withLock { $0.onTheirWay.count } }

    /// For a progress line.
    var soFar: (answered: UInt64, failed: UInt64, mean: Double) {
        state.withLock { ($0.tally.answered, $0.tally.failed, $0.tally.latencies.mean) }
    }
}
