import Jobs
import Logging
import RPC
import ServiceLifecycle

/// Works on the jobs of the store, and removes what has expired; for as long as the gateway lives.
///
/// Several runners, on one machine or on many, share the work: each claims a job at a time, and goes on behind the last
/// recorded frame of one whose owner died.
struct JobRunner: Service {
    let videos: VideoServices
    let coordinators: Coordinators
    let logger: Logger

    init(_ videos: VideoServices, _ services: GatewayServices) {
        self.videos = videos
        coordinators = services.coordinators
        logger = services.logger
    }

    private var sweep: VideoSweep { VideoSweep(videos: videos, logger: logger) }

    /// Ends when its task is cancelled or the gateway shuts down; jobs that run are given back by then.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await countOldResults()
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    await repeatedly(every: videos.limits.sweepInterval) { try await sweep.run(now: .now) }
                }
                for _ in 0..<videos.limits.maxRunning {
                    tasks.addTask {
                        await repeatedly(every: videos.limits.claimInterval) { try await workWhileThereIsWork() }
                    }
                }
            }
        }
    }

    /// Before there are new ones, and while the gateway serves: it may take its time.
    private func countOldResults() async {
        await repeatedly(every: .zero, untilDone: true) { try await videos.store.countOldResults() }
    }

    /// - Parameter untilDone: it ends when `body` has come to its end once.
    private func repeatedly(
        every interval: Duration, untilDone: Bool = false, _ body: () async throws -> Void
    ) async {
        var trouble = ""
        while !Task.isCancelled {
            var pause = interval
            do {
                try await body()
                if untilDone { return }
                trouble = ""
            } catch is CancellationError {
                return
            } catch {
                let cause = SystemError.forLog(error)
                if trouble != cause { logger.warning("the jobs of videos wait", metadata: ["cause": "\(cause)"]) }
                trouble = cause
                pause = max(interval, videos.limits.retryPause)
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// - Throws: what the mesh or the store is in the way with.
    private func workWhileThereIsWork() async throws {
        while let (job, lease) = try await claim() {
            logger.info(
                "video job begins", metadata: ["job": "\(job.id)", "from": "\(job.progress.framesDone)"])
            try await JobRun(videos: videos, coordinators: coordinators, logger: logger, job: job).run(lease)
        }
    }

    private func claim() async throws -> (job: Job, lease: Lease)? {
        try await videos.store.claim(
            by: videos.store.gateway, now: .now, for: videos.limits.lease,
            givingUp: { [logger, metrics = videos.metrics] job in
                logger.notice("video job failed", metadata: ["job": "\(job.id)", "cause": "\(job.error)"])
                metrics.ended(.failed)
            })
    }
}
