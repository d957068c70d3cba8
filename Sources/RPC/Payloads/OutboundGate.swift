import Synchronization

/// Holds the writer of one streaming call back while too much of it waits to be sent.
final class OutboundGate: Sendable {
    /// Writers go on while no more than this waits: enough to keep a socket busy between two turns.
    static let limitBytes = 256 << 10

    private struct State {
        var pending = 0
        var end: RPCError?
        var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Before bytes are queued. - Throws: the reason, if the call has ended.
    func add(_ bytes: Int) throws(RPCError) {
        try state.withLock { state throws(RPCError) in
            if let end = state.end { throw end }
            state.pending += bytes
        }
    }

    /// Until there is room. - Throws: the reason if the call ends first, CANCELLED if the task is cancelled.
    func room() async throws {
        let ticket: UInt64? = state.withLock { state in
            if state.end == nil, state.pending <= Self.limitBytes { return nil }
            state.nextWaiter += 1
            return state.nextWaiter
        }
        guard let ticket else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now: Result<Void, any Error>? = state.withLock { state in
                    if let end = state.end { return .failure(end) }
                    if state.pending <= Self.limitBytes { return .success(()) }
                    if Task.isCancelled { return .failure(Self.cancelled) }
                    state.waiters[ticket] = continuation
                    return nil
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(throwing: Self.cancelled)
        }
    }

    private static let cancelled = RPCError(.cancelled, "task was cancelled while it waited to write")

    /// The prefix, whose size only the loop knows.
    func addPrefix(_ bytes: Int) { state.withLock { $0.pending += bytes } }

    func sent(_ bytes: Int) {
        let waiters = state.withLock { state in
            state.pending -= bytes
            guard state.pending <= Self.limitBytes, !state.waiters.isEmpty else {
                return [UInt64: CheckedContinuation<Void, any Error>]()
            }
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    func end(_ error: RPCError) {
        let waiters = state.withLock { state in
            if state.end == nil { state.end = error }
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(throwing: error) }
    }
}
