import Foundation

/// Threads wait here until all are ready; then the time begins for all of them at once.
final class StartLine: @unchecked Sendable {
    // Every property below is guarded by the condition's lock.
    private let condition = NSCondition()
    private var missing: Int
    private var isOpen = false
    private var isStopped = false
    private let open: () -> Void

    /// - Parameter open: begins the time; called once, by the last of the `runners` to arrive.
    init(runners: Int, open: @Sendable @escaping () -> Void) {
        missing = runners
        self.open = open
    }

    /// Blocks until all are here.
    /// - Returns: false if there is no run.
    func wait() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        missing -= 1
        if missing == 0, !isStopped {
            isOpen = true
            open()
            condition.broadcast()
        }
        while !isOpen, !isStopped { condition.wait() }
        return isOpen
    }

    /// Nobody starts any more.
    func stop() {
        condition.lock()
        isStopped = true
        condition.broadcast()
        condition.unlock()
    }
}
