import Synchronization

/// One run of some work for all who ask for its result meanwhile.
final class SingleFlight<Value: Sendable>: Sendable {
    private let running = Mutex<Task<Value, any Error>?>(nil)

    /// - Parameter work: must end by itself: whoever asked for it and is cancelled leaves it to the others.
    func value(_ work: @Sendable @escaping () async throws -> Value) async throws -> Value {
        let task = running.withLock { running in
            if let running { return running }
            let task = Task {
                defer { self.running.withLock { $0 = nil } }
                return try await work()
            }
            running = task
            return task
        }
        return try await task.value
    }
}
