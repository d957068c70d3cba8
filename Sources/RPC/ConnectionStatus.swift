import Synchronization

/// What any thread may ask of a client connection.
final class ConnectionStatus: Sendable {
    private struct State {
        var isUsable = true
        var attachmentPeer: String?
        var end: RPCError?
        var waiters: [CheckedContinuation<RPCError, Never>] = []
    }

    private let state = Mutex(State())

    var isUsable: Bool { state.withLock { $0.isUsable } }
    var attachmentPeer: String? { state.withLock { $0.attachmentPeer } }

    func stopUse() { state.withLock { $0.isUsable = false } }

    func announced(_ identity: String) { state.withLock { $0.attachmentPeer = identity } }

    func end(_ error: RPCError) {
        let waiters = state.withLock { state in
            state.isUsable = false
            state.end = state.end ?? error
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: error) }
    }

    func closed() async -> RPCError {
        await withCheckedContinuation { continuation in
            let end = state.withLock { state in
                if state.end == nil { state.waiters.append(continuation) }
                return state.end
            }
            if let end { continuation.resume(returning: end) }
        }
    }
}
