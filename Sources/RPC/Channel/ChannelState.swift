public import Logging
import Synchronization

/// What all calls of one channel share: its configuration, its budgets, and that it drains.
public final class ChannelState: Sendable {
    let configuration: RPCChannelConfiguration
    /// Of the server or servers, for the log.
    private let name: String
    let logger: Logger?
    private let draining = Atomic(false)
    private let replayBytes = Atomic(0)
    /// Calls between two of their attempts.
    let pauses = Waiters<Void>()
    /// nil: it has no name to be counted under.
    let attempts: AttemptCounters?
    /// Those of the configuration that look at attempts.
    let attemptInterceptors: [any AttemptInterceptor]

    /// - Parameters:
    ///   - name: where its calls go, for the log.
    ///   - logger: gets a line when the channel is at one of its limits, or an answer cannot be read.
    public init(_ configuration: RPCChannelConfiguration, name: String = "", logger: Logger? = nil) {
        self.configuration = configuration
        self.name = name
        self.logger = logger
        attemptInterceptors = configuration.interceptors.compactMap { $0 as? any AttemptInterceptor }
        attempts = name.isEmpty ? nil : AttemptCounters(target: name)
    }

    /// The channel is at one of its limits.
    func count(_ limit: CallLimit, _ detail: @autoclosure () -> String) {
        LimitCounters.client.count(limit, peer: name, detail(), logger)
    }

    /// An attempt has failed; on a connection, that has counted its limits.
    func count(_ error: RPCError, hadConnection: Bool) {
        if !hadConnection, let limit = error.limit { count(limit, error.message) }
    }

    var throttle: RetryThrottle? { configuration.service.throttle }

    public var isDraining: Bool { draining.load(ordering: .relaxed) }
    /// No new calls, no more attempts: who waits for its next one waits no longer.
    public func drain() {
        draining.store(true, ordering: .relaxed)
        pauses.resume(with: .success(()))
    }

    /// - Throws: UNAVAILABLE, `neverStarted`, once it drains.
    public func checkOpen() throws(RPCError) {
        guard isDraining else { return }
        throw RPCError(.unavailable, "the channel was drained", neverStarted: true)
    }

    /// Waits until a call's next attempt is due.
    /// - Parameter error: what its last attempt has failed with.
    /// - Throws: `error` as soon as the channel drains; CANCELLED when the task is cancelled.
    func pause(_ duration: Duration, after error: RPCError) async throws(RPCError) {
        guard duration > .zero else { return }
        await sleep(duration)
        guard !Task.isCancelled else {
            throw RPCError(.cancelled, "call was cancelled while it waited for its next attempt", cause: error)
        }
        guard !isDraining else { throw error }
    }

    /// Shorter when the channel drains, or the task is cancelled.
    func sleep(_ duration: Duration) async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { _ = try? await Task.sleep(for: duration) }
            tasks.addTask {
                _ = try? await self.pauses.wait("the wait is over") { self.isDraining ? .success(()) : nil }
            }
            _ = await tasks.next()
            tasks.cancelAll()
        }
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
