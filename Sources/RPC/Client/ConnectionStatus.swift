import Synchronization

/// What any thread may ask of a client connection.
final class ConnectionStatus: Sendable {
    private struct State {
        var isUsable = true
        var attachmentPeer: String?
        var end: RPCError?
        var waiters: [CheckedContinuation<RPCError, Never>] = []
        /// To be told once that the connection takes no new calls.
        var listeners: [@Sendable () -> Void] = []

        mutating func stopUse() -> [@Sendable () -> Void] {
            isUsable = false
            defer { listeners = [] }
            return listeners
        }
    }

    private let state = Mutex(State())

    var isUsable: Bool { state.withLock { $0.isUsable } }
    var attachmentPeer: String? { state.withLock { $0.attachmentPeer } }

    func stopUse() {
        let listeners = state.withLock { $0.stopUse() }
        for listener in listeners { listener() }
    }

    func onUnusable(_ listener: @escaping @Sendable () -> Void) {
        let isUsable = state.withLock { state in
            if state.isUsable { state.listeners.append(listener) }
            return state.isUsable
        }
        if !isUsable { listener() }
    }

    func announced(_ identity: String) { state.withLock { $0.attachmentPeer = identity } }

    func end(_ error: RPCError) {
        stopUse()
        let waiters = state.withLock { state in
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
