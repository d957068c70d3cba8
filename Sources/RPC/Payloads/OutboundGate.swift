import Synchronization

/// Holds the writer of one streaming call back while too much of it waits to be sent.
final class OutboundGate: Sendable {
    private struct State {
        /// Writers go on while no more than this waits.
        let limitBytes: Int
        var pending = 0
        var isFinished = false
        var end: RPCError?

        var hasRoom: Bool { pending <= limitBytes }
    }

    private let state: Mutex<State>
    private let waiters = Waiters<Void>()

    init(limitBytes: Int) { state = Mutex(State(limitBytes: limitBytes)) }

    /// Before bytes are queued. - Throws: the reason, if the call has ended; FAILED_PRECONDITION after `finish`.
    func add(_ bytes: Int) throws(RPCError) {
        try state.withLock { state throws(RPCError) in
            if let end = state.end { throw end }
            if state.isFinished { throw Self.finished }
            state.pending += bytes
        }
    }

    static let finished = RPCError(.failedPrecondition, "a message was sent after the end of sending")

    /// Nothing more will be queued.
    func finish() { state.withLock { $0.isFinished = true } }

    /// Until there is room. - Throws: the reason if the call ends first, CANCELLED if the task is cancelled.
    func room() async throws {
        if state.withLock({ $0.end == nil && $0.hasRoom }) { return }
        try await waiters.wait("task was cancelled while it waited to write") {
            state.withLock { state in
                if let end = state.end { return .failure(end) }
                return state.hasRoom ? .success(()) : nil
            }
        }
    }

    /// What the loop has queued beyond what `add` was told: only it knows the framing. Less than 0 where it is shorter.
    func correct(by bytes: Int) { sent(-bytes) }

    /// Bytes that wait to be sent.
    var pending: Int { state.withLock { $0.pending } }

    func sent(_ bytes: Int) {
        let hasRoom = state.withLock { state in
            let had = state.hasRoom
            state.pending -= bytes
            // Who waits came when there was none.
            return !had && state.hasRoom
        }
        if hasRoom { waiters.resume(with: .success(())) }
    }

    func end(_ error: RPCError) {
        let end = state.withLock { state in
            state.end = state.end ?? error
            return state.end
        }
        waiters.resume(with: .failure(end ?? error))
    }
}
