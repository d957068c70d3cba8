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
                $0.limits.videos.minFreeBytes = 0
            } _: { gateway in
                // One that says how long it is is refused unread; the other one fills the disk.
                for length in ["Content-Length: \(8 << 20)\r\nExpect: 100-continue", "Transfer-Encoding: chunked"] {
                    let peer = try await RawPeer.connect(to: gateway.address)
                    await peer.send("POST /v1/videos HTTP/1.1\r\nHost: localhost\r\n\(length)\r\n\r\n")
                    if length.hasSuffix("chunked") {
                        let chunk = "10000\r\n" + String(repeating: "x", count: 0x10000) + "\r\n"
                        for _ in 0..<128 where peer.text.isEmpty { await peer.send(chunk) }
                    }
                    try await peer.until("507")
                    #expect(peer.text.hasPrefix("HTTP/1.1 507"), "\(peer.text.prefix(300))")
                    #expect(!peer.text.contains(disk.path))
                    peer.close()
                }
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
