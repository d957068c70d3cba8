import Synchronization

/// What the holders of a streaming call on the client share with its connection's loop.
final class StreamingState: Sendable {
    let inbound: InboundQueue
    let gate: OutboundGate
    private let initial = Ending<Result<Metadata, RPCError>>()
    private let waiters = Waiters<Metadata>()
    private let lastTrailers = Mutex(Metadata())
    /// nil for OK.
    private let end = Ending<RPCError?>()

    init(inbound: InboundQueue, gate: OutboundGate) {
        self.inbound = inbound
        self.gate = gate
    }

    /// The response head came, or the call ended with OK.
    var hasResponse: Bool {
        if case .success = initial.value { true } else { false }
    }

    /// Calls `action` once when the call has ended, at once if it has.
    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void) { end.tell(action) }

    /// Calls `action` once when `hasResponse` is true, at once if it is.
    func onResponse(_ action: @escaping @Sendable () -> Void) {
        initial.tell { initial in if case .success = initial { action() } }
    }

    var trailers: Metadata { lastTrailers.withLock { $0 } }

    func initialMetadata() async throws -> Metadata {
        try await waiters.wait("call was cancelled while it waited for a response") { initial.value }
    }

    /// The first one counts.
    func received(_ initial: Result<Metadata, RPCError>) {
        self.initial.happened(initial)
        waiters.resume(with: self.initial.value ?? initial)
    }

    /// - Parameter error: nil for OK.
    func end(_ error: RPCError?, trailers: Metadata, dropping: Bool) {
        lastTrailers.withLock { $0 = trailers }
        received(error.map { .failure($0) } ?? .success([:]))
        gate.end(error ?? RPCError(.cancelled, "peer has ended the call"))
        // Before its reader knows: whoever has read the end finds it reported.
        end.happened(error)
        inbound.finish(error, dropping: dropping)
    }
}
