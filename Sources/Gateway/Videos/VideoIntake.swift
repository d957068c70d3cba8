import Areas
import Glibc
import HTTPTypes
import Jobs
import Metrics
import NIOCore
import Outbound
import Video

/// Takes an upload to disk and makes a job of it, or leaves nothing behind.
struct VideoIntake {
    let videos: VideoServices

    /// - Throws: `Problem`: 400 for an empty body, 408, 413, 422 for what is no video, 429, 503, 507; `IOError`; `JobError`.
    func take(_ upload: Upload, _ wish: VideoWish, from caller: Caller) async throws -> Job {
        let id = JobID(at: .now)
        let room = try await videos.quota.begin(upload.declaredBytes ?? 0, for: caller)
        defer { room.end() }
        let (count, info) = try await problem {
            try await UploadFile.with(videos.folder.file(.part, of: id)) { file in
                var count: Int64 = 0
                var pace = UploadPace(videos.limits)
                var parts = upload.makeAsyncIterator()
                var asked = ContinuousClock.now
                while let part = try await parts.next() {
                    count += Int64(part.readableBytes)
                    videos.metrics.uploadBytes.increment(by: part.readableBytes)
                    try pace.add(part.readableBytes, after: .now - asked)
                    try await room.reserve(upTo: count)
                    try await file.write(part)
                    room.wrote(Int64(part.readableBytes))
                    asked = .now
                }
                guard count > 0 else { throw Problem(.badRequest, "the body is to be a video, and is empty") }
                let info = try await videos.looks.run(for: caller.key) { try await look(at: file.path) }
                try Self.check(wish.areas, on: info)
                try await file.commit(as: videos.folder.file(.video, of: id))
                return (count, info)
            }
        }
        let now = JobTime.now
        let job = Job(
            id: id, owner: caller.owner, name: wish.name, request: wish.request,
            video: Job.Video(
                width: Int64(info.width), height: Int64(info.height), frameRate: info.frameRate,
                duration: info.duration.map { Int64(($0 / .milliseconds(1)).rounded()) }),
            framesTotal: info.frameCount.map { Int64($0) }, createdAt: now, expiresAt: now + videos.limits.retention,
            storedBytes: count)
        return try await record(job, telling: wish.webhooks)
    }

    private static func check(_ areas: AreaSet?, on info: VideoInfo) throws {
        do throws(AreaError) {
            try areas?.validate(width: info.width, height: info.height)
        } catch {
            throw Problem(areas: error, under: "areas")
        }
    }

    /// Makes a job known whose file is in its place.
    /// - Parameter webhooks: of those who are told of it.
    func record(_ job: Job, telling webhooks: [Webhook] = []) async throws -> Job {
        let told = webhooks.enumerated().map { index, webhook in
            JobWebhook(
                job: job.id, number: Int64(index), url: webhook.url.text, topics: webhook.topics.text,
                isForEnd: !Webhook.Topic.ofAreas.contains { webhook.wants($0) }, dueAt: job.createdAt)
        }
        do {
            try await videos.store.create(job, webhooks: told, within: videos.quota.room(of: job.owner))
            return job
        } catch let error as JobError where error.code == .unavailable {
            // The answer to COMMIT may be what was lost. If the job is not there now, it may still be on its way: its file
            // is left to the sweep, which looks for jobs first.
            if let found = try? await videos.store.job(job.id) { return found }
            throw error
        } catch {
            await videos.folder.remove(job.id)
            if let error = error as? JobError, case .noRoom(let excess) = error.code {
                throw videos.quota.problem(excess)
            }
            throw error
        }
    }

    /// Decodes the first frame, so that what is no video is refused here and now.
    private func look(at path: String) async throws -> VideoInfo {
        do {
            let reader = try await openInTime(path)
            await reader.close()
            // An estimate refuses nobody: frames are counted as they are analysed.
            if reader.info.isFrameCountExact, let frames = reader.info.frameCount, frames > videos.limits.maxFrames {
                throw Problem(
                    .contentTooLarge, "the video has \(frames) frames, the limit is \(videos.limits.maxFrames)",
                    limit: ("max-video-frames", Double(videos.limits.maxFrames)))
            }
            return reader.info
        } catch let error as VideoError where error.isOfHelper {
            throw Problem(.serviceUnavailable, "videos cannot be looked at now", cause: error).retry(after: .seconds(1))
        } catch let error as VideoError {
            let reason = error.reason(of: [path])
            if VideoReader.isTooLarge(error, maxPixels: videos.limits.maxPixels) {
                throw Problem(
                    .unprocessableContent, "the video's pictures are too large: \(reason)",
                    limit: ("max-video-pixels", Double(videos.limits.maxPixels)), cause: error)
            }
            let words =
                reason.hasPrefix("is ") ? "the body \(reason)" : "the body is no video that can be read: \(reason)"
            throw Problem(.unprocessableContent, words, cause: error)
        }
    }

    /// - Throws: `VideoError`; `Problem`, 503: all of the upload is here (a browser sends it again at 408), and it has no part
    ///   in it that the gateway is slow. The decoder has ended then, so that who is next may have one.
    private func openInTime(_ path: String) async throws -> VideoReader {
        // Two tasks, and the first to end decides: the decoder, which has ended once its task is cancelled, and the clock, since
        // the limit of its processor time says nothing of one that waits or gets none.
        try await withThrowingTaskGroup(of: VideoReader.self) { tasks in
            tasks.addTask {
                try await VideoReader.open(path, helper: videos.helper, maxPixels: videos.limits.maxPixels)
            }
            tasks.addTask {
                try await Task.sleep(for: videos.limits.lookTime)
                throw Problem(
                    .serviceUnavailable, "the video's first frame takes longer than \(videos.limits.lookTime)",
                    limit: ("video-look-time", videos.limits.lookTime / .seconds(1))
                ).retry(after: .seconds(1))
            }
            do {
                guard let reader = try await tasks.next() else { throw CancellationError() }
                tasks.cancelAll()
                return reader
            } catch {
                tasks.cancelAll()
                // It may have come too late, but in time for not being ended by that.
                while let late = await tasks.nextResult() {
                    if case .success(let reader) = late { await reader.close() }
                }
                throw error
            }
        }
    }

    /// A full disk is told from other faults of ours.
    private func problem<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as IOError where error.errnoCode == ENOSPC || error.errnoCode == EDQUOT {
            throw Problem(.insufficientStorage, "there is no room on the disk for more videos", cause: error)
        }
    }
}

extension VideoError {
    /// The message without the path of one of `files`, which is nobody's business.
    func reason(of files: [String]) -> String {
        let file = files.first { message.hasPrefix("\($0): ") }
        return file.map { String(message.dropFirst($0.count + 2)) } ?? "its decoder or encoder failed"
    }
}
