import Coordination
import Foundation
import Jobs
import RPC
import TestSupport
import Testing

@testable import Gateway

/// What a job may take, and what is left of one that wants more.
@Suite struct VideoBoundsTests {
    private static func files(_ gateway: TestGateway) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: gateway.data.appending(path: "videos").path)
    }

    /// - Returns: the sequences of the results that are there.
    private static func failed(
        _ gateway: TestGateway, _ id: String, because reason: String
    ) async throws -> [Int] {
        let job = try await gateway.finishedJob(id)
        #expect(job.state == "failed" && (job["error"] as? String ?? "").contains(reason), "\(job)")
        #expect(!(job["error"] as? String ?? "").contains(gateway.data.path))
        #expect(try await gateway.get("/v1/videos/\(id)/annotated").status == 404)
        let sequences = try await gateway.sequences(id)
        #expect(sequences == Array(0..<(job[path: "progress.frames_done"] ?? -1)))
        return sequences
    }

    @Test func aVideoThatSaysItHasTooManyFramesIsRefused() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxFrames = 10 }) { gateway in
            let refused = try await gateway.post("/v1/videos", try TestVideo.digits, type: "video/mp4")
            #expect(refused.status == 413)
            #expect(try refused.json()["limit_name"] as? String == "max-video-frames")
            #expect(try Self.files(gateway).isEmpty)
        }
    }

    @Test func aVideoOfTooLargePicturesIsRefused() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxPixels = 1000 }) { gateway in
            let refused = try await gateway.post("/v1/videos", try TestVideo.digits, type: "video/mp4")
            #expect(refused.status == 422)
            #expect(try refused.json()["limit_name"] as? String == "max-video-pixels")
            #expect(try (refused.json()["detail"] as? String)?.contains("more than allowed (1000 in all)") == true)
            #expect(try Self.files(gateway).isEmpty)
        }
    }

    @Test func aVideoIsNotRefusedByAnEstimate() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxFrames = 10 }) { gateway in
            let video = try await gateway.uploadVideo(try await TestVideo.slow(in: gateway.data))
            #expect((video[path: "progress.frames_total"] ?? 0) > 10, "\(video)")
            let job = try await gateway.finishedJob(video.id)
            #expect(job.state == "done" && job[path: "progress.frames_total"] == 5, "\(job)")
        }
    }

    @Test func aVideoThatHasMoreFramesThanAllowedEndsBehindThem() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxFrames = 10 }) { gateway in
            let id = try await gateway.uploadVideo(try await TestVideo.uncounted(in: gateway.data)).id
            #expect(try await Self.failed(gateway, id, because: "max-video-frames") == Array(0..<10))
        }
    }

    @Test func aVideoThatTakesTooLongEnds() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxTime = .milliseconds(1) }) {
            gateway in
            let id = try await gateway.uploadVideo(try await TestVideo.long(in: gateway.data)).id
            _ = try await Self.failed(gateway, id, because: "max-video-time")
        }
    }

    /// A gateway that has recorded some frames of a long video and is gone; then another one, with other limits.
    private static func interrupted(
        _ configure: @escaping (inout GatewayConfiguration, _ worked: Int64) -> Void,
        _ body: (TestGateway, _ id: String) async throws -> Void
    ) async throws {
        let data = FileManager.default.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: data) }
        let id = try await TestGateway.with(
            mesh: .shared,
            configure: {
                $0.data = data.path
                $0.limits.videos.batchFrames = 1
            },
            { gateway in
                let id = try await gateway.uploadVideo(try await TestVideo.long(in: data)).id
                _ = try await gateway.job(id) { ($0[path: "progress.frames_done"] ?? 0) >= 3 }
                return id
            })
        let store = try await JobStore(SQLiteDatabase(path: data.appending(path: "jobs.sqlite").path))
        let known = try #require(JobID(id))
        let job = try #require(try await store.job(known))
        try await store.close()
        #expect(job.state == .queued && job.worked > 0)
        try await TestGateway.with(
            mesh: .shared,
            configure: {
                $0.data = data.path
                configure(&$0, job.worked)
            },
            { made in try await body(TestGateway(address: made.address, routes: made.routes, data: data), id) })
    }

    @Test func theTimeOfAllWhoWorkedOnAVideoCounts() async throws {
        try await Self.interrupted({ $0.limits.videos.maxTime = .milliseconds($1) }) { gateway, id in
            let frames = try await Self.failed(gateway, id, because: "max-video-time")
            #expect(frames.count >= 3)
        }
    }

    @Test func aVideoWhoseResultsLeaveTooLittleOfTheDiskWaitsAndCanStillBeRemoved() async throws {
        try await Self.interrupted({ configuration, _ in configuration.limits.videos.minFreeBytes = 1 << 50 }) {
            gateway, id in
            let job = try await gateway.job(id) { $0["waiting_for"] as? String == "room on the disk (min-free-bytes)" }
            #expect((job[path: "progress.frames_done"] ?? 0) >= 3)
            let refused = try await gateway.post("/v1/videos", try TestVideo.digits, type: "video/mp4")
            #expect(refused.status == 507)
            #expect(try refused.json()["limit_name"] as? String == "min-free-bytes")
            #expect(try await gateway.send("DELETE", "/v1/videos/\(id)").status == 204)
            #expect(try Self.files(gateway).isEmpty)
        }
    }

    @Test func resultsHaveALimitAndThoseBeforeStay() async throws {
        try await TestGateway.with(
            mesh: .shared,
            configure: {
                $0.limits.videos.maxResultBytes = 60_000
                $0.limits.videos.batchFrames = 1
            },
            { gateway in
                let id = try await gateway.uploadVideo(try TestVideo.digits, "min_confidence=0.0001").id
                #expect(try await !Self.failed(gateway, id, because: "max-result-bytes").isEmpty)
                let job = try await gateway.get("/v1/videos/\(id)").json()
                let size = try TestVideo.digits.count
                #expect((size + 1...size + 60_000).contains(job[path: "stored_bytes"] ?? 0))
            })
    }

    /// It has its results so far, and goes on behind them when somebody has made room.
    @Test func aVideoWithoutRoomForItsResultsWaitsForSome() async throws {
        let size = try TestVideo.digits.count
        let large = try await TestVideo.short(in: FileManager.default.temporaryDirectory) + TestVideo.nothing(300_000)
        try await TestGateway.with(
            mesh: .shared,
            configure: {
                $0.limits.videos.maxStoredBytes = size + large.count + 10_000
                $0.limits.videos.batchFrames = 1
                $0.limits.videos.retryPause = .milliseconds(50)
            },
            { gateway in
                let other = try await gateway.uploadVideo(large).id
                #expect(try await gateway.finishedJob(other).state == "done")
                let id = try await gateway.uploadVideo(try TestVideo.digits).id
                let waiting = try await gateway.job(id) {
                    $0.state == "queued" && $0["waiting_for"] as? String == "room (max-stored-bytes)"
                }
                let frames = try #require(waiting[path: "progress.frames_done"])
                #expect(frames > 0 && frames < 250)
                #expect(try await gateway.send("DELETE", "/v1/videos/\(other)").status == 204)
                let done = try await gateway.finishedJob(id)
                #expect(done.state == "done" && done["waiting_for"] == nil, "\(done)")
                #expect(try await gateway.sequences(id) == Array(0..<250))
            })
    }

    @Test func aVideoOfWhichNoFrameHasAResultHasFailedAndSaysWhy() async throws {
        let mesh = try await BundledMesh.another { $0.maxPixelBytes = 10 }
        try await TestGateway.with(mesh: mesh) { gateway in
            let id = try await gateway.uploadVideo(try TestVideo.digits, "annotate=true").id
            let frames = try await Self.failed(
                gateway, id, because: "none of its 250 frames could be analysed: a frame has")
            #expect(frames.count == 250)
            let job = try await gateway.get("/v1/videos/\(id)").json()
            let failures = try #require(job["failures"] as? [[String: Any]])
            #expect(failures.map { $0[path: "frames"] } == [250])
            let cause = try #require(failures.first?["cause"] as? String)
            #expect(cause.hasSuffix("nodes take at most 10"))
            #expect(job[path: "progress.failed"] == 250)
            let rows = try await gateway.get("/v1/videos/\(id)/results?format=csv").text.split(separator: "\r\n")
            #expect(
                rows.count == 251
                    && rows.dropFirst().allSatisfy { $0.contains(",error,,") && $0.hasSuffix("at most 10") })
            #expect(try Self.files(gateway) == ["\(id).video"])
        }
    }

    /// A stream that is refused as a whole is asked for again, but not for ever.
    @Test func aVideoThatNoCoordinatorTakesIsGivenUp() async throws {
        let mesh = try await BundledMesh.another { $0.server.maxAttachmentBytes = 1000 }
        try await TestGateway.with(
            mesh: mesh,
            configure: {
                $0.limits.videos.retryPause = .milliseconds(10)
                $0.limits.videos.longestRetryPause = .milliseconds(20)
            },
            { gateway in
                let id = try await gateway.uploadVideo(try TestVideo.digits).id
                let frames = try await Self.failed(
                    gateway, id, because: "was begun 5 times without getting past frame 0")
                #expect(frames.isEmpty)
            })
    }

    /// What it was is no fault of the videos, which are begun again, but not for ever.
    @Test func aDecoderThatIsGoneFailsNoVideoAtOnce() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "helper-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let helper = folder.appending(path: "framemesh-video")
        let real = Place.products.appending(path: "framemesh-video")
        try FileManager.default.createSymbolicLink(at: helper, withDestinationURL: real)
        let long = try await TestVideo.long(in: folder)
        let short = try await TestVideo.short(in: folder)
        try await TestGateway.with(
            mesh: .shared,
            configure: {
                $0.videoHelper = helper.path
                $0.limits.videos.maxRunning = 1
                $0.limits.videos.retryPause = .milliseconds(10)
                $0.limits.videos.longestRetryPause = .milliseconds(20)
            },
            { gateway in
                // It has its decoder, so that the second one waits for its turn.
                let first = try await gateway.uploadVideo(long).id
                _ = try await gateway.job(first) { ($0[path: "progress.frames_done"] ?? 0) > 0 }
                let second = try await gateway.uploadVideo(short).id
                try FileManager.default.removeItem(at: helper)
                let refused = try await gateway.post("/v1/videos", try TestVideo.digits, type: "video/mp4")
                #expect(refused.status == 503 && refused.headers["retry-after"] == "1", "\(refused.text)")
                #expect(!refused.text.contains(folder.path))
                #expect(try await gateway.finishedJob(first).state == "done")
                let frames = try await Self.failed(
                    gateway, second,
                    because: "was begun 5 times without getting past frame 0, and waited for its decoder or encoder")
                #expect(frames.isEmpty)
                #expect(try Self.files(gateway).sorted() == ["\(first).video", "\(second).video"].sorted())
            })
    }

    @Test func anAnnotatedVideoHasALimitOfItsOwn() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxAnnotatedBytes = 5000 }) { gateway in
            let id = try await gateway.uploadVideo(try TestVideo.digits, "annotate=true").id
            #expect(try await !Self.failed(gateway, id, because: "max-annotated-bytes").isEmpty)
            #expect(try Self.files(gateway) == ["\(id).video"])
        }
    }

    @Test func anAnnotatedVideoThatFindsNoRoomLeavesItToOthers() async throws {
        let (all, annotated) = try await TestGateway.with(mesh: .shared) { gateway in
            let id = try await gateway.uploadVideo(try TestVideo.digits, "annotate=true").id
            let job = try await gateway.finishedJob(id)
            let annotated = try await gateway.get("/v1/videos/\(id)/annotated")
            return (try #require(job[path: "stored_bytes"]), annotated.body.count)
        }
        let size = try TestVideo.digits.count
        #expect(all > size + annotated)
        try await TestGateway.with(
            mesh: .shared, configure: { $0.limits.videos.maxStoredBytes = all - annotated / 2 },
            { gateway in
                let id = try await gateway.uploadVideo(try TestVideo.digits, "annotate=true").id
                #expect(try await Self.failed(gateway, id, because: "max-stored-bytes").count == 250)
                #expect(try Self.files(gateway) == ["\(id).video"])
                // Nothing stays reserved.
                let rest = Data(count: annotated / 4)
                #expect(try await gateway.post("/v1/videos", rest, type: "video/mp4").status == 422)
            })
    }

    /// With a file system of its own for the files; the database is elsewhere.
    @Test(.enabled(if: SmallDisk.isPossible())) func aFullDiskIsSaidAndLeavesNothingHalf() async throws {
        let size = try TestVideo.digits.count
        let data = FileManager.default.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: data) }
        try await SmallDisk.with(at: data.appending(path: "videos"), bytes: size + 64 << 10) {
            try await TestGateway.with(
                mesh: .shared,
                configure: {
                    $0.data = data.path
                    $0.limits.videos.minFreeBytes = 0
                }
            ) { made in
                let gateway = TestGateway(address: made.address, routes: made.routes, data: data)
                let refused = try await gateway.post(
                    "/v1/videos", try await TestVideo.long(in: data), type: "video/mp4")
                #expect(refused.status == 507, "\(refused.text)")
                #expect(!refused.text.contains(data.path))
                #expect(try Self.files(gateway).isEmpty)
                let id = try await gateway.uploadVideo(try TestVideo.digits, "annotate=true").id
                #expect(try await !Self.failed(gateway, id, because: "min-free-bytes").isEmpty)
                #expect(try Self.files(gateway) == ["\(id).video"])
            }
        }
    }
}

/// A file system in memory, as small as a test wants it.
enum SmallDisk {
    /// Says aloud where it is not.
    static func isPossible() -> Bool {
        let folder = FileManager.default.temporaryDirectory.appending(path: "disk-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try mount(folder, 1 << 16)
            unmount(folder)
            return true
        } catch {
            print("SKIPPED: tests with a full disk (nobody may mount one here)")
            return false
        }
    }

    static func with(at folder: URL, bytes: Int, _ body: () async throws -> Void) async throws {
        try mount(folder, bytes)
        defer { unmount(folder) }
        try await body()
    }

    private static func mount(_ folder: URL, _ bytes: Int) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try run("mount", ["-t", "tmpfs", "-o", "size=\(bytes)", "none", folder.path])
    }

    /// Lazily: a helper that is just ending may still have its file open.
    private static func unmount(_ folder: URL) { try? run("umount", ["-l", folder.path]) }

    private static func run(_ command: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [command] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure("\(command) failed") }
    }
}
