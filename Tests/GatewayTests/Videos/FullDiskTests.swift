import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A disk that is full, which takes a file system of our own: only root may mount one.
@Suite struct FullDiskTests {
    /// A small file system in memory; nil: it could not be mounted.
    private static func mount(_ bytes: Int) async throws -> URL? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "disk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let mounted = try await ChildProcess(
            URL(fileURLWithPath: "/usr/bin/mount"), ["-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", folder.path]
        ).finish(within: .seconds(60))
        guard mounted.code == 0 else {
            print("SKIPPED the full disk: no file system can be mounted here (\(mounted.errors.prefix(200)))")
            try FileManager.default.removeItem(at: folder)
            return nil
        }
        return folder
    }

    private static func unmount(_ folder: URL) async throws {
        _ = try await ChildProcess(URL(fileURLWithPath: "/usr/bin/umount"), ["-l", folder.path]).finish()
        try FileManager.default.removeItem(at: folder)
    }

    @Test func anUploadThatFillsTheDiskIsRefusedAndTheNextOneFits() async throws {
        guard let disk = try await Self.mount(4 << 20) else { return }
        let video = try await TestVideo.short(in: FileManager.default.temporaryDirectory)
        do {
            try await TestGateway.with(mesh: .shared) {
                $0.data = disk.path
            } _: { gateway in
                let answer = try await gateway.post(
                    "/v1/videos?pipeline=detect", Data(repeating: 7, count: 8 << 20), type: "video/mp4")
                #expect(answer.status == 507, "\(answer.text)")
                #expect(!answer.text.contains(disk.path))
                let job = try await gateway.uploadVideo(video)
                #expect(try await gateway.finishedJob(job.id).state == "done")
            }
        } catch {
            try await Self.unmount(disk)
            throw error
        }
        try await Self.unmount(disk)
    }
}
