import Synchronization

/// The time that is measured: from the end of the warm-up to the end of the run, or to Ctrl-C.
final class BenchWindow: Sendable {
    private struct State {
        var start: ContinuousClock.Instant
        var end: ContinuousClock.Instant
        var stopped = false
    }

    private let state: Mutex<State>

    init(warmup: Duration, duration: Duration, now: ContinuousClock.Instant = .now) {
        state = Mutex(State(start: now + warmup, end: now + warmup + duration))
    }

    /// No new frames.
    func isOver(at now: ContinuousClock.Instant = .now) -> Bool { state.withLock { $0.stopped || now >= $0.end } }

    /// A frame that was answered then counts.
    func contains(_ time: ContinuousClock.Instant) -> Bool { state.withLock { time >= $0.start && time < $0.end } }

    func stop(at now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            guard !state.stopped else { return }
            state.stopped = true
            state.end = min(state.end, now)
        }
    }

    /// Zero if it was stopped before the warm-up ended.
    var length: Duration { state.withLock { max(.zero, $0.end - $0.start) } }
    /// It ended before its time.
    var wasStopped: Bool { state.withLock { $0.stopped } }
}
