import Synchronization

/// What all calls of one channel share: its configuration, its budgets, and that it drains.
public final class ChannelState: Sendable {
    let configuration: RPCChannelConfiguration
    private let draining = Atomic(false)
    private let replayBytes = Atomic(0)

    public init(_ configuration: RPCChannelConfiguration) { self.configuration = configuration }

    var throttle: RetryThrottle? { configuration.service.throttle }

    public var isDraining: Bool { draining.load(ordering: .relaxed) }
    /// No new calls, no more attempts.
    public func drain() { draining.store(true, ordering: .relaxed) }

    /// - Throws: UNAVAILABLE, `neverStarted`, once it drains.
    public func checkOpen() throws(RPCError) {
        guard isDraining else { return }
        throw RPCError(.unavailable, "the channel was drained", neverStarted: true)
    }

    /// - Returns: false if the channel keeps too much already.
    func reserveReplay(_ bytes: Int) -> Bool {
        let (_, sum) = replayBytes.add(bytes, ordering: .relaxed)
        if sum <= configuration.maxReplayBytesOfAll { return true }
        releaseReplay(bytes)
        return false
    }

    func releaseReplay(_ bytes: Int) { replayBytes.subtract(bytes, ordering: .relaxed) }
}
