import Synchronization

/// No more frames; those that were sent are still waited for.
final class StopSign: Sendable {
    private let flag = Atomic(false)

    /// Longest time in which a stop is not seen.
    private static let look: Duration = .milliseconds(100)

    var isUp: Bool { flag.load(ordering: .relaxed) }
    func raise() { flag.store(true, ordering: .relaxed) }

    /// Waits until no more shall be sent, or the task is cancelled.
    func waitUntilUp() async { while await wait(until: .now + .seconds(1)) {} }

    /// Waits for `time`, which may be over.
    /// - Returns: false if no more shall be sent, or the task was cancelled.
    func wait(until time: ContinuousClock.Instant) async -> Bool {
        while !isUp, time > .now {
            guard
                (try? await Task.sleep(until: min(time, .now + Self.look), tolerance: .zero, clock: .continuous)) != nil
            else { return false }
        }
        return !isUp && !Task.isCancelled
    }
}
