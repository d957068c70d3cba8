import Foundation

/// Threads wait here until all are ready; then the time begins for all of them at once.
final class StartLine: @unchecked Sendable {
    // Every property below is guarded by the condition's lock.
    private let condition = NSCondition()
    private var missing: Int
    private var isStopped = false
    private var window: BenchWindow?
    private let open: () -> BenchWindow

    /// - Parameter open: begins the time; called once, by the last of the `runners` to arrive.
    init(runners: Int, open: @Sendable @escaping () -> BenchWindow) {
        missing = runners
        self.open = open
    }

    /// Blocks until all are here.
    /// - Returns: nil if there is no run.
    func wait() -> BenchWindow? {
        condition.lock()
        defer { condition.unlock() }
        missing -= 1
        if missing == 0, !isStopped {
            window = open()
            condition.broadcast()
        }
        while window == nil, !isStopped { condition.wait() }
        return window
    }

    /// nil: not all were here.
    var opened: BenchWindow? {
        condition.lock()
        defer { condition.unlock() }
        return window
    }

    /// Nobody starts any more, and those that run stop.
    func stop() {
        condition.lock()
        isStopped = true
        let running = window
        condition.broadcast()
        condition.unlock()
        running?.stop()
    }
}
