import Jobs
import Logging
import NIOCore
import RPC
import ServiceLifecycle
import Synchronization

/// Counts the jobs of the store now and then, so that who asks for metrics need not wait for a database.
final class StoreCensus: Service {
    private struct State {
        /// What was seen last.
        var census = JobCensus()
        var isReachable = false
    }

    private let store: JobStore
    private let interval: Duration
    private let logger: Logger
    private let state = Mutex(State())

    init(_ videos: VideoServices, logger: Logger) {
        store = videos.store
        interval = videos.limits.censusInterval
        self.logger = logger
    }

    var census: JobCensus { state.withLock { $0.census } }
    /// The store answered when it was asked last.
    var isReachable: Bool { state.withLock { $0.isReachable } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: self.interval)) != nil { await self.look() }
        }
    }

    /// Keeps what was seen before where the store does not answer.
    func look() async {
        do {
            let census = try await store.census()
            state.withLock { $0 = State(census: census, isReachable: true) }
        } catch {
            logger.debug("the jobs of videos are not counted", metadata: ["cause": "\(SystemError.forLog(error))"])
            state.withLock { $0.isReachable = false }
        }
    }
}
