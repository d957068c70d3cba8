import Foundation
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

    @Test func anAnnotatedVideoHasALimitOfItsOwn() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.limits.videos.maxAnnotatedBytes = 5000 }) { gateway in
            let id = try await gateway.uploadVideo(try TestVideo.digits, "annotate=true").id
            #expect(try await !Self.failed(gateway, id, because: "max-annotated-bytes").isEmpty)
            #expect(try Self.files(gateway) == ["\(id).video"])
        }
    }

    @Test func anAnnotatedVideoThatFindsNoRoomLeavesItToOthers() async throws {
        let size = try TestVideo.digits.count
        try await TestGateway.with(
            mesh: .shared, configure: { $0.limits.videos.maxStoredBytes = size * 2 },
            { gateway in
                // What stands behind its end is nothing to a player.
                let padded = try TestVideo.digits + Data(count: size - 5000)
                let id = try await gateway.uploadVideo(padded, "annotate=true").id
                #expect(try await !Self.failed(gateway, id, because: "max-stored-bytes").isEmpty)
                #expect(try Self.files(gateway) == ["\(id).video"])
                // Nothing stays reserved.
                #expect(try await gateway.post("/v1/videos", Data(count: 4000), type: "video/mp4").status == 422)
            })
    }

    /// With a file system of its own for the files; the database is elsewhere.
    @Test(.enabled(if: SmallDisk.isPossible())) func aFullDiskIsSaidAndLeavesNothingHalf() async throws {
        let size = try TestVideo.digits.count
        let data = FileManager.default.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: data) }
        try await SmallDisk.with(at: data.appending(path: "videos"), bytes: size + 64 << 10) {
            try await TestGateway.with(mesh: .shared, configure: { $0.data = data.path }) { made in
                let gateway = TestGateway(address: made.address, routes: made.routes, data: data)
                let refused = try await gateway.post(
                    "/v1/videos", try await TestVideo.long(in: data), type: "video/mp4")
                #expect(refused.status == 507, "\(refused.text)")
                #expect(!refused.text.contains(data.path))
                #expect(try Self.files(gateway).isEmpty)
                let id = try await gateway.uploadVideo(try TestVideo.digits, "annotate=true").id
                #expect(try await !Self.failed(gateway, id, because: "No space left").isEmpty)
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
