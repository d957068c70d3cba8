import Synchronization

/// What the holders of a streaming call on the client share with its connection's loop.
final class StreamingState: Sendable {
    private struct State {
        var initial: Result<Metadata, RPCError>?
        var trailers = Metadata()
        var waiters: [CheckedContinuation<Metadata, any Error>] = []
        /// Set by the end: nil for OK.
        var end: RPCError??
        var listeners: [@Sendable (RPCError?) -> Void] = []
    }

    let inbound: InboundQueue
    let gate = OutboundGate()
    private let state = Mutex(State())

    init(inbound: InboundQueue) { self.inbound = inbound }

    /// The response head came, or the call ended with OK.
    var hasResponse: Bool {
        state.withLock { state in
            if case .success = state.initial { true } else { false }
        }
    }

    /// Calls `action` once when the call has ended, at once if it has.
    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) {
        let end = state.withLock { state in
            if state.end == nil { state.listeners.append(action) }
            return state.end
        }
        if let end { action(end) }
    }

    var trailers: Metadata { state.withLock { $0.trailers } }

    func initialMetadata() async throws -> Metadata {
        try await withCheckedThrowingContinuation { continuation in
            let known = state.withLock { state in
                if state.initial == nil { state.waiters.append(continuation) }
                return state.initial
            }
            if let known { continuation.resume(with: known.mapError { $0 as any Error }) }
        }
    }

    /// The first one counts.
    func received(_ initial: Result<Metadata, RPCError>) {
        let waiters = state.withLock { state in
            guard state.initial == nil else { return [CheckedContinuation<Metadata, any Error>]() }
            state.initial = initial
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(with: initial.mapError { $0 as any Error }) }
    }

    /// - Parameter error: nil for OK.
    func end(_ error: RPCError?, trailers: Metadata, dropping: Bool) {
        state.withLock { $0.trailers = trailers }
        received(error.map { .failure($0) } ?? .success([:]))
        gate.end(error ?? RPCError(.cancelled, "peer has ended the call"))
        inbound.finish(error, dropping: dropping)
        let listeners = state.withLock { state in
            guard state.end == nil else { return [@Sendable (RPCError?) -> Void]() }
            state.end = .some(error)
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { listener(error) }
    }
}
