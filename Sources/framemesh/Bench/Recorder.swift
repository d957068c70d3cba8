import Bench
import Synchronization

/// Takes what becomes of frames, from all callers at once; a window is what came between two `take`.
final class Recorder: Sendable {
    private let tally = Mutex(Tally())
    private let (started, start) = AsyncStream<Never>.makeStream()

    /// The load runs: what needs time before has had it.
    func begin() { start.finish() }

    /// Suspends until the load runs, or the task is cancelled.
    func waitForBegin() async { for await _ in started {} }

    func record(_ outcome: FrameOutcome) { tally.withLock { $0.record(outcome) } }
    func countSent() { tally.withLock { $0.countSent() } }
    func countOutOfOrder() { tally.withLock { $0.countOutOfOrder() } }
    func resumed(again: Int) { tally.withLock { $0.resumed(again: again) } }

    /// All since the last time.
    func take() -> Tally {
        tally.withLock { tally in
            defer { tally = Tally() }
            return tally
        }
    }

    /// For a progress line.
    var soFar: (answered: UInt64, failed: UInt64, mean: Double) {
        tally.withLock { ($0.answered, $0.failed, $0.latencies.mean) }
    }
}
