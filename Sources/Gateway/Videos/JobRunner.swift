import Jobs
import Logging
import ServiceLifecycle

/// Works on the jobs of the store, and removes what has expired; for as long as the gateway lives.
///
/// Several runners, on one machine or on many, share the work: each claims a job at a time, and goes on behind the last
/// recorded frame of one whose owner died.
struct JobRunner: Service {
    let videos: VideoServices
    let coordinators: Coordinators
    let logger: Logger
    /// Names this gateway in leases and logs.
    let gateway: String

    init(_ videos: VideoServices, _ services: GatewayServices) {
        self.videos = videos
        coordinators = services.coordinators
        logger = services.logger
        gateway = "gateway-\(JobID(at: .now))"
    }

    /// Ends when its task is cancelled or the gateway shuts down; jobs that run are given back by then.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await repeatedly(every: videos.limits.sweepInterval) { try await sweep() } }
                for _ in 0..<videos.limits.maxRunning {
                    tasks.addTask {
                        await repeatedly(every: videos.limits.claimInterval) { try await workWhileThereIsWork() }
                    }
                }
            }
        }
    }

    private func repeatedly(every interval: Duration, _ body: () async throws -> Void) async {
        var trouble = ""
        while !Task.isCancelled {
            var pause = interval
            do {
                try await body()
                trouble = ""
            } catch is CancellationError {
                return
            } catch {
                if trouble != "\(error)" {
                    logger.warning("the jobs of videos wait", metadata: ["cause": "\(error)"])
                }
                trouble = "\(error)"
                pause = max(interval, videos.limits.retryPause)
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// - Throws: what the mesh or the store is in the way with.
    private func workWhileThereIsWork() async throws {
        while let (job, lease) = try await videos.store.claim(by: gateway, now: .now, for: videos.limits.lease) {
            logger.info(
                "video job begins", metadata: ["job": "\(job.id)", "from": "\(job.progress.framesDone)"])
            try await JobRun(videos: videos, coordinators: coordinators, logger: logger, job: job).run(lease)
        }
    }

    /// Files without a job stay for so long: an upload that is still coming, or its last step between file and store.
    private static let orphanAge: Duration = .seconds(3600)

    private func sweep() async throws {
        let now = JobTime.now
        while true {
            let expired = try await videos.store.deleteExpired(now: now)
            for id in expired { await videos.folder.remove(id) }
            if !expired.isEmpty { logger.info("videos have expired", metadata: ["count": "\(expired.count)"]) }
            if expired.count < JobStore.maxPage { break }
        }
        while let step = try await videos.store.removePiece(rows: videos.limits.removalRows) {
            // A gateway may have died between the job and its files.
            if case .gone(let id) = step { await videos.folder.remove(id) }
            try Task.checkCancellation()
        }
        for entry in try await videos.folder.entries() where entry.modifiedAt + Self.orphanAge < now {
            if entry.kind == .part {
                await videos.folder.remove(entry)
            } else if try await videos.store.job(entry.id) == nil {
                await videos.folder.remove(entry)
            }
        }
    }
}
