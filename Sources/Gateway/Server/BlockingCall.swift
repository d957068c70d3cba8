import NIOPosix

/// Calls that wait for a disk, on a thread that is there for it: the threads of tasks are as few as processors.
enum BlockingCall {
    /// Runs to its end, also for a task that is cancelled.
    static func run<Value: Sendable, Failure>(
        _ body: @Sendable @escaping () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let outcome: Result<Value, Failure> = await withCheckedContinuation { continuation in
            NIOThreadPool.singleton.submit { _ in continuation.resume(returning: Result(catching: body)) }
        }
        return try outcome.get()
    }
}
