package import NIOCore
import Synchronization

/// Tasks that wait for news of their owner.
///
///     try await waiters.wait("call was cancelled") { state.withLock { $0.result } }    // a task
///     state.withLock { $0.result = result }                                            // the owner: first the fact,
///     waiters.resume(with: result)                                                     // then the news
///
/// A task is on the list before it looks at the facts, so it misses no news, and the owner's lock is not held while it
/// gets on or off.
package final class Waiters<Value: Sendable>: Sendable {
    /// When a task waits no longer, and what it is told then.
    package struct Limit: Sendable {
        var deadline: Deadline
        var loop: any EventLoop
        var error: @Sendable () -> RPCError

        /// - Parameter loop: whose clock is used.
        package init(_ deadline: Deadline, on loop: any EventLoop, _ error: @escaping @Sendable () -> RPCError) {
            self.deadline = deadline
            self.loop = loop
            self.error = error
        }
    }

    private struct Waiter {
        var continuation: CheckedContinuation<Value, any Error>
        var timer: Scheduled<Void>?

        func resume(with result: Result<Value, RPCError>) {
            timer?.cancel()
            continuation.resume(with: result)
        }
    }

    private struct State {
        var waiting: [UInt64: Waiter] = [:]
        var lastTicket: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var isEmpty: Bool { state.withLock { $0.waiting.isEmpty } }

    /// Suspends until `resume`, unless `known` has an answer already.
    /// - Parameters:
    ///   - cancelled: the message of the error when the task is cancelled.
    ///   - limit: nil: no matter how long.
    ///   - known: asked once.
    /// - Throws: the `RPCError` of `known`, `resume` or `limit`; CANCELLED.
    package func wait(
        _ cancelled: String, until limit: Limit? = nil, unless known: () -> Result<Value, RPCError>?
    ) async throws -> Value {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            return state.lastTicket
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { state in
                    // It may fire at once, and then waits for the lock.
                    let timer = limit.map { limit in
                        limit.loop.scheduleTask(deadline: limit.deadline.instant) { [weak self] in
                            if let self { resume(ticket, limit.error()) }
                        }
                    }
                    state.waiting[ticket] = Waiter(continuation: continuation, timer: timer)
                }
                if let known = known() {
                    take(ticket)?.resume(with: known)
                } else if Task.isCancelled {
                    resume(ticket, RPCError(.cancelled, cancelled))
                }
            }
        } onCancel: {
            resume(ticket, RPCError(.cancelled, cancelled))
        }
    }

    /// Resumes all that wait now.
    package func resume(with result: Result<Value, RPCError>) {
        let all = state.withLock { state in
            defer { state.waiting = [:] }
            return state.waiting
        }
        for waiter in all.values { waiter.resume(with: result) }
    }

    private func take(_ ticket: UInt64) -> Waiter? { state.withLock { $0.waiting.removeValue(forKey: ticket) } }

    private func resume(_ ticket: UInt64, _ error: RPCError) { take(ticket)?.resume(with: .failure(error)) }
}
