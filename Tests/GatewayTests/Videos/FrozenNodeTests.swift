import Coordination
import Foundation
import Mesh
import NIOPosix
import TestSupport
import Testing

@testable import Gateway

/// A node as a process of its own, that stands still and goes on.
@Suite(.timeLimit(.minutes(10))) struct FrozenNodeTests {
    /// A coordinator of one detector that `body` may stop.
    private static func with(_ body: (BundledMesh, ChildProcess) async throws -> Void) async throws {
        let detector = try ChildProcess(
            Place.products.appending(path: "framemesh"),
            ["detector", "--listen", "127.0.0.1:0", "--model", "digits-detector", "--workers", "1"])
        let target = try Target(parsing: try await detector.line(startingWith: "ready "))
        var configuration = try BundledMesh.configuration(detectors: target, classifiers: nil)
        configuration.frameDeadline = .seconds(10)
        configuration.channel.readyTimeout = .seconds(1)
        let coordinator = try await Coordinator.start(
            configuration, group: MultiThreadedEventLoopGroup.singleton, logger: BundledMesh.logger)
        let running = Task { try await coordinator.run() }
        let result: Result<Void, any Error>
        do {
            let mesh = BundledMesh(
                target: try Target(parsing: coordinator.address.endpointName), detectors: target)
            result = .success(try await body(mesh, detector))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        detector.signal(SIGKILL)
        _ = try await detector.finish(within: .seconds(60))
        try result.get()
    }

    /// Its frames that were there are asked again when it goes on; none of them is a failure of the video's.
    @Test func aVideoWaitsForAFrozenNodeAndLosesNoFrame() async throws {
        try await Self.with { mesh, detector in
            try await TestGateway.with(mesh: mesh) {
                $0.limits.videos.lease = .milliseconds(1500)
                $0.limits.videos.stallTime = .milliseconds(500)
                $0.limits.videos.retryPause = .milliseconds(100)
                $0.limits.videos.batchFrames = 4
            } _: { gateway in
                let id = try await gateway.uploadVideo(try await TestVideo.long(in: gateway.data)).id
                _ = try await gateway.job(id) { ($0[path: "progress.frames_done"] ?? 0) >= 20 }
                detector.signal(SIGSTOP)
                @Sendable func isWaiting(_ job: [String: Any]) -> Bool {
                    job["waiting_for"] as? String == "nodes for the stage detect"
                }
                // While frames are still hoped for, and when they are lost.
                _ = try await gateway.job(id) {
                    isWaiting($0) && $0.state == "running" && $0[path: "progress.rate"] == 0
                }
                _ = try await gateway.job(id) { isWaiting($0) && $0.state == "queued" }
                detector.signal(SIGCONT)
                let done = try await gateway.finishedJob(id)
                #expect(done.state == "done" && done["waiting_for"] == nil, "\(done)")
                #expect(done[path: "progress.failed"] == 0 && done["failures"] == nil, "\(done)")
                let lines = try await gateway.lines(id)
                let frames = try #require(done[path: "progress.frames_done"])
                #expect(lines.map { $0["sequence"] as? Int } == Array(0..<frames))
                #expect(lines.allSatisfy { $0["status"] as? String == "ok" })
            }
        }
    }
}
