import Foundation
import TestSupport
import Testing

/// What is started is ended, whenever it is told to.
@Suite(.serialized) struct LifecycleTests {
    @Test(arguments: [SIGINT, SIGTERM]) func upLeavesNothingBehind(_ signal: Int32) async throws {
        let mesh = try await LocalMesh.up(detectors: 2)
        let family = ProcessTable.descendants(of: mesh.command.pid)
        #expect(family.count >= 4, "a coordinator, two detectors, a classifier")
        mesh.command.signal(signal)
        let result = try await mesh.command.finish(within: .seconds(60))
        #expect(result.code == (signal == SIGINT ? 130 : 0) || result.code == 0)
        #expect(family.filter { ProcessTable.isAlive($0) }.isEmpty)
    }

    @Test func nodesOfAMeshThatWasKilledEndToo() async throws {
        let mesh = try await LocalMesh.up()
        let family = ProcessTable.descendants(of: mesh.command.pid)
        mesh.command.signal(SIGKILL)
        let end = ContinuousClock.now + .seconds(20)
        while family.contains(where: { ProcessTable.isAlive($0) }), ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(50))
        }
        let left = family.filter { ProcessTable.isAlive($0) }
        for pid in left { kill(pid, SIGKILL) }
        #expect(left.isEmpty)
    }

    @Test func theDemoReadsTheNumbersAndCleansUp() async throws {
        let folder = try Place.temporary("demo")
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try await Command.run(["demo", "--output", folder.path], within: .seconds(600))
        #expect(result.code == 0, "\(result.errors.suffix(2000))")
        let written = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        #expect(written.filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.count >= 8, "\(written)")
        let video = try #require(written.first { $0.hasSuffix(".mp4") })
        #expect(
            try VideoThroughTheMeshTests.frameCount(folder.appending(path: video))
                == VideoThroughTheMeshTests.frameCount(Place.demo.appending(path: "digits.mp4")))
    }

    @Test(arguments: [0.05, 0.4, 1.5, 4.0]) func theDemoCanBeInterruptedAtAnyPoint(_ seconds: Double) async throws {
        let folder = try Place.temporary("demo")
        defer { try? FileManager.default.removeItem(at: folder) }
        let demo = try Command(["demo", "--output", folder.path])
        try await Task.sleep(for: .seconds(seconds))
        let family = ProcessTable.descendants(of: demo.pid)
        demo.signal(SIGINT)
        _ = try await demo.finish(within: .seconds(60))
        #expect(family.filter { ProcessTable.isAlive($0) }.isEmpty)
        // Nor anything that was just about to start.
        let mine = ProcessTable.all().filter { $0.parent == demo.pid && $0.state != "Z" }
        #expect(mine.isEmpty)
    }
}
