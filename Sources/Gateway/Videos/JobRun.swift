import Areas
import Client
import Foundation
import Jobs
import Logging
import Messages
import Metrics
import NIOCore
import Playback
import RPC
import Results
import Video
import Vision

/// One gateway's work on one job, from the claim until the job is finished, given back, or another's.
struct JobRun {
    let videos: VideoServices
    let coordinators: Coordinators
    let logger: Logger
    let job: Job
    private let reasons: PlainReasons
    private let pulse: JobPulse

    init(videos: VideoServices, coordinators: Coordinators, logger: Logger, job: Job) {
        self.videos = videos
        self.coordinators = coordinators
        self.job = job
        pulse = JobPulse(videos.limits.stallTime, now: .now)
        var logger = logger
        logger[metadataKey: "job"] = "\(job.id)"
        self.logger = logger
        reasons = PlainReasons(logger)
    }

    /// - Throws: why the job had to be given back: `CancellationError`, or what of mesh and store is not there.
    func run(_ lease: Lease) async throws {
        do {
            try await whileHolding(lease) { try await work(lease) }
            videos.metrics.ended(.done)
            logger.info("video job done")
        } catch let error as JobError where error.code == .leaseLost {
            videos.metrics.ended(.lost)
            // Nothing of it is ours any more.
            let reason = await whyLeft(error)
            logger.info("video job left", metadata: ["reason": "\(reason)"])
            // What was reserved for its files and not written is free again, if it has ended.
            let stored = await videos.folder.storedBytes(of: job.id)
            await toItsEnd {
                try await videos.store.settle(job.id, storedBytes: stored)
                // Removed while its annotated video was written: nobody else would know of that file.
                if try await videos.store.job(job.id) == nil { await videos.folder.remove(job.id) }
            }
        } catch {
            guard let reason = fault(of: error) else {
                videos.metrics.ended(.released)
                // What ends with the gateway may throw anything.
                let release = Task.isCancelled ? JobRelease.ending : JobRelease(error)
                await toItsEnd { [limits = videos.limits] in
                    try await videos.store.release(
                        lease, release, now: .now,
                        JobPauses(first: limits.retryPause, longest: limits.longestRetryPause))
                }
                throw error
            }
            videos.metrics.ended(.failed)
            logger.notice("video job failed", metadata: ["cause": "\(SystemError.forLog(error))"])
            let stored = await videos.folder.storedBytes(of: job.id)
            await toItsEnd {
                try await videos.store.finish(
                    lease, as: .failed, error: reason, storedBytes: stored, now: .now, keep: videos.limits.retention)
            }
        }
    }

    /// - Parameter error: what is said to whoever has lost a lease, for whichever reason.
    private func whyLeft(_ error: JobError) async -> String {
        let found = await Task { [store = videos.store, id = job.id] in try await store.job(id) }.result
        return switch found {
        case .success(nil): "it was removed"
        case .success(let now?) where now.state == .cancelled: "it was cancelled"
        case .success, .failure: "\(error)"
        }
    }

    /// What is wrong with the job itself, for its owner; nil: another attempt may do.
    private func fault(of error: any Error) -> String? {
        switch error {
        case is CancellationError, is Problem, is IOError, is JobAbsence: nil
        case let error as JobFault: error.reason
        case let error as JobError: fault(of: error.code)
        case let error as ClientError: error.kind == .unreachable ? nil : Problem(error).detail
        case let error as RPCError:
            [.unavailable, .resourceExhausted, .deadlineExceeded, .cancelled].contains(error.code)
                ? nil : MeshReason.words(error.code, error.message)
        case let error as VideoError where error.isOfHelper: nil
        case let error as VideoError:
            error.reason(of: [VideoFolder.Kind.video, .annotated].map { videos.folder.file($0, of: job.id) })
        default: "the gateway failed"
        }
    }

    private func fault(of code: JobError.Code) -> String? {
        switch code {
        // There may be room again: it is made by whoever removes a video.
        case .unavailable, .full, .noRoom: nil
        case .tooManyResults: "its results take more than \(videos.limits.maxResultBytes) bytes (max-result-bytes)"
        default: "its results could not be recorded"
        }
    }

    /// Renews the lease while `body` runs.
    /// - Throws: `leaseLost` as soon as that is known; `body` is cancelled then.
    private func whileHolding(_ lease: Lease, _ body: @Sendable @escaping () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await body() }
            tasks.addTask { try await keep(lease) }
            tasks.addTask {
                try await Task.sleep(for: videos.limits.maxTime - .milliseconds(job.worked))
                throw JobFault("the analysis takes longer than \(videos.limits.maxTime) (max-video-time)")
            }
            _ = try await tasks.next()
            tasks.cancelAll()
        }
    }

    /// Three times in the time of a lease, so that one or two that fail do no harm; and soon after frames stand still, since
    /// the job has a rate until that is said.
    private func keep(_ lease: Lease) async throws {
        var held = lease
        var due = ContinuousClock.now + videos.limits.lease / 3
        while true {
            let stall = pulse.stallsAt(now: .now)
            // What is not analysed yet, or has been said to stand still, may be analysed by the next look, or wait for
            // something else.
            let look = stall ?? .now + videos.limits.stallTime
            try await Task.sleep(until: min(due, look), clock: .continuous)
            let now = ContinuousClock.now
            guard now >= due || pulse.hasNews(now: now) else { continue }
            due = now + videos.limits.lease / 3
            do {
                held = try await videos.store.renew(
                    held, waitingFor: await waitingFor(), now: .now, for: videos.limits.lease)
            } catch let error as JobError where error.code == .unavailable {
                if held.until < .now { throw error }
            }
        }
    }

    /// In plain words; empty: results come.
    private func waitingFor() async -> String {
        let words = pulse.say(now: .now)
        guard words == JobPulse.answer, let missing = try? await missingStages(), !missing.isEmpty else { return words }
        return MeshReason.nodes(for: missing)
    }

    /// Those without a node that all frames fail without.
    private func missingStages() async throws -> [String] {
        try await coordinators.view().pipeline(named: job.request.pipeline)?.failingStages ?? []
    }

    private func work(_ lease: Lease) async throws {
        let done = try await analyse(lease)
        pulse.end()
        try await checkForResults()
        if job.request.annotate { try await annotate(frames: done, lease) }
        let stored = await videos.folder.storedBytes(of: job.id)
        try await videos.store.finish(
            lease, as: .done, storedBytes: stored, lastTime: try await time(of: done - 1), now: .now,
            keep: videos.limits.retention)
    }

    /// Of a frame, milliseconds from the beginning of the file; nil: it is not there.
    private func time(of frame: Int64) async throws -> Int64? {
        let found = try await videos.store.results(of: job.id, from: frame, limit: 1).first
        return try found.map { try $0.response.captureTime / 1000 }
    }

    /// - Throws: `JobFault` if no frame has a result.
    private func checkForResults() async throws {
        guard let progress = try await videos.store.job(job.id)?.progress, progress.isFailure else { return }
        let cause = progress.causes.list.first.map { ": \($0.words)" } ?? ""
        throw JobFault("none of its \(progress.framesDone) frames could be analysed\(cause)")
    }

    // ---- first pass: what is in each frame ----

    /// - Returns: the number of frames.
    private func analyse(_ lease: Lease) async throws -> Int64 {
        let client = try await coordinators.client()
        // Frames that no node is there for would all be failures.
        let missing = try await missingStages()
        guard missing.isEmpty else { throw JobAbsence(waitingFor: MeshReason.nodes(for: missing)) }
        // So would results be that nobody can record.
        try await checkForRoom()
        let first = job.progress.framesDone
        var player = VideoPlayer(client: client, stream: job.id.text, limits: .lossless) { [request = job.request] in
            AnalyzeRequest(
                frame: $0, pipeline: request.pipeline, minConfidence: Float(request.minConfidence), policy: .lossless)
        }
        player.first = UInt64(first)
        player.epoch = try await epoch(behind: first)
        player.resumed = { [logger, pulse] reason, again in
            pulse.lost()
            logger.notice(
                "video job goes on at another coordinator",
                metadata: ["reason": "\(reason)", "again": "\(again)"])
        }
        let reader = try await videos.reader(of: job.id)
        var spool = FrameSpool(videos.limits, done: first, now: .now)
        var done = first
        pulse.begin(now: .now)
        do {
            try await player.run(reader) { response, _ in
                guard done < videos.limits.maxFrames else {
                    throw JobFault("the video has more than \(videos.limits.maxFrames) frames (max-video-frames)")
                }
                if let absence = await absence(in: response, isFirst: done == first) { throw absence }
                done += 1
                pulse.heard(now: .now)
                if let batch = spool.add(reasons.plain(response), now: .now) { try await record(batch, lease) }
            }
        } catch {
            await reader.close()
            await toItsEnd { try await countDamage(reader, lease) }
            // What the mesh has answered need not be asked again.
            if let batch = spool.take(now: .now) { await toItsEnd { try await append(batch, lease) } }
            throw error
        }
        await reader.close()
        if let batch = spool.take(now: .now) { try await record(batch, lease) }
        try await countDamage(reader, lease)
        return done
    }

    /// Known at the end of a file, also of one that ends too early.
    private func countDamage(_ reader: VideoReader, _ lease: Lease) async throws {
        guard reader.damagedPackets > 0 else { return }
        try await videos.store.count(damagedPackets: Int64(clamping: reader.damagedPackets), lease)
    }

    /// A frame that no node was there for has no result yet: the job waits for nodes, and goes on with it. Only where that
    /// was so in all turns of a job, what the mesh says of its first frame counts.
    private func absence(in response: AnalyzeResponse, isFirst: Bool) async -> JobAbsence? {
        guard response.status == .error, !response.missing.isEmpty, !isFirst || !job.isLastTurn else { return nil }
        switch StatusCode(rawValue: response.code) {
        case .unavailable: break
        // Nodes that are there were too slow for it, and are the next time.
        case .deadlineExceeded: guard let missing = try? await missingStages(), !missing.isEmpty else { return nil }
        default: return nil
        }
        return JobAbsence(waitingFor: MeshReason.nodes(for: response.missing), cameWithFrame: true)
    }

    /// The tracker begins anew where a video goes on, and the ids of its tracks with it: an epoch of its own tells them
    /// from those before.
    private func epoch(behind first: Int64) async throws -> UInt32 {
        guard first > 0, let last = try await videos.store.results(of: job.id, from: first - 1, limit: 1).first else {
            return 0
        }
        return UInt32(clamping: Int(try last.response.epoch) + 1)
    }

    private func append(_ batch: FrameBatch, _ lease: Lease) async throws {
        try await videos.store.append(batch, lease, within: room)
        videos.metrics.frames.increment(by: batch.results.count)
    }

    private var room: JobRoom { videos.quota.roomForJobs(of: job.owner) }

    /// - Throws: `JobAbsence` if there is none for one more result.
    private func checkForRoom() async throws {
        try await checkForDisk()
        guard let excess = try await videos.store.excess(of: job.owner, within: room) else { return }
        throw JobAbsence(waitingFor: "room (\(excess.limitName))")
    }

    private func checkForDisk() async throws {
        guard videos.store.isInDataFolder,
            await videos.folder.freeBytesForDatabase() < Int64(videos.limits.minFreeBytes)
        else { return }
        throw JobAbsence(waitingFor: "room on the disk (min-free-bytes)")
    }

    /// A store that cannot be reached for a moment costs no frame: a batch may be sent again.
    private func record(_ batch: FrameBatch, _ lease: Lease) async throws {
        try await checkForDisk()
        let end = ContinuousClock.now + videos.limits.lease
        while true {
            do {
                return try await append(batch, lease)
            } catch let error as JobError where error.code == .unavailable && ContinuousClock.now < end {
                try await Task.sleep(for: videos.limits.retryPause)
            }
        }
    }

    // ---- second pass: the video again, with what was found drawn on it ----

    /// Where a container names no rate; frames carry their true times anyway.
    private static let assumedFrameRate = 25.0

    /// Begins from the start however often it is interrupted; the file appears when it is whole.
    private func annotate(frames: Int64, _ lease: Lease) async throws {
        guard frames > 0 else { return }
        let most = Int64(videos.limits.maxAnnotatedBytes)
        let free = await videos.quota.freeBytesForJobs()
        let granted = try await videos.store.reserve(
            min(most, free), beside: await videos.folder.size(.video, of: job.id), within: room, lease)
        let limit = granted == free ? "min-free-bytes" : "max-stored-bytes"
        guard granted > 0 else { throw JobAbsence(waitingFor: "room for the annotated video (\(limit))") }
        let reason =
            granted == most
            ? "the annotated video has more than \(most) bytes (max-annotated-bytes)"
            : "there is no room for the annotated video (\(limit))"
        do {
            try await annotate(frames: frames, maxBytes: granted)
        } catch let error as VideoError where VideoWriter.isTooLarge(error, maxBytes: granted) {
            throw JobFault(reason)
        }
        try await videos.folder.keepNames()
    }

    private func annotate(frames: Int64, maxBytes: Int64) async throws {
        let reader = try await videos.reader(of: job.id)
        do {
            let info = reader.info
            let writer = try await VideoWriter.create(
                videos.folder.file(.annotated, of: job.id), width: info.width, height: info.height,
                frameRate: info.frameRate > 0 ? info.frameRate : Self.assumedFrameRate, aspect: info.aspect,
                helper: videos.helper, maxBytes: maxBytes)
            do {
                var watch = try await watch()
                var next: Int64 = 0
                while next < frames {
                    let page = try await videos.page(of: job.id, from: next).results
                    guard !page.isEmpty else { break }
                    for response in page {
                        guard let frame = try await reader.next() else { break }
                        _ = watch.see(response)
                        let drawn = try await AnnotatedFrame.draw(
                            response, on: frame.pixels, width: info.width, height: info.height,
                            outlines: watch.figures(width: info.width, height: info.height).map { Outline($0) })
                        try await writer.write(drawn, captureTime: frame.captureTime)
                    }
                    next += Int64(page.count)
                }
                try await writer.finish()
            } catch {
                await writer.abort()
                throw error
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    /// Zones and lines as they are now; what is drawn of them is not changed with them.
    private func watch() async throws -> AreaWatch {
        let text = try await videos.store.job(job.id)?.request.areas ?? ""
        return videos.watch(of: text)
    }

    /// Runs `body`, which is short, also where the gateway shuts down meanwhile. If it fails, the lease runs out instead.
    private func toItsEnd(_ body: @Sendable @escaping () async throws -> Void) async {
        do {
            try await Task { try await body() }.value
        } catch {
            logger.notice("a video job is left to its lease", metadata: ["cause": "\(SystemError.forLog(error))"])
        }
    }
}
