import Foundation
import TestSupport
import Testing

/// What is started is ended, whenever it is told to.
@Suite(.serialized) struct LifecycleTests {
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func upLeavesNothingBehind(_ signal: Int32) async throws {
        let mesh = try await LocalMesh.up(detectors: 2)
        let family = ProcessTable.descendants(of: mesh.command.pid)
        #expect(family.count >= 4, "a coordinator, two detectors, a classifier")
        #expect(Set(ProcessTable.marked(mesh.mark)).isSuperset(of: family), "the mark is handed down")
        mesh.command.signal(signal)
        let result = try await mesh.command.finish(within: .seconds(180))
        #expect(result.code == 0, "all of it was ended in order, whichever the signal")
        #expect(ProcessTable.marked(mesh.mark).isEmpty)
    }

    @Test func nodesOfAMeshThatWasKilledEndToo() async throws {
        let mesh = try await LocalMesh.up()
        mesh.command.signal(SIGKILL)
        let end = ContinuousClock.now + .seconds(60)
        while !ProcessTable.marked(mesh.mark).isEmpty, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(50))
        }
        let left = ProcessTable.marked(mesh.mark)
        for pid in left { kill(pid, SIGKILL) }
        #expect(left.isEmpty)
    }

    @Test func theDemoReadsTheNumbersAndCleansUp() async throws {
        let folder = try Place.temporary("demo")
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try await Command.run(["demo", "--output", folder.path], within: .seconds(1800))
        #expect(result.code == 0, "\(result.errors.suffix(2000))")
        let written = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        #expect(written.filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.count >= 8, "\(written)")
        let video = try #require(written.first { $0.hasSuffix(".mp4") })
        let frames = try await VideoThroughTheMeshTests.frameCount(folder.appending(path: video))
        #expect(
            try await VideoThroughTheMeshTests.frameCount(Place.demo.appending(path: "digits.mp4")) == frames)
    }

    @Test(arguments: [0.05, 0.4, 1.5, 4.0]) func theDemoCanBeInterruptedAtAnyPoint(_ seconds: Double) async throws {
        let folder = try Place.temporary("demo")
        defer { try? FileManager.default.removeItem(at: folder) }
        let mark = EnvironmentMark()
        let demo = try Command(["demo", "--output", folder.path], environment: mark.environment)
        try await Task.sleep(for: .seconds(seconds))
        demo.signal(SIGINT)
        _ = try await demo.finish(within: .seconds(180))
        // Also what was just about to start, and orphans: they have another parent now.
        let left = ProcessTable.marked(mark)
        for pid in left { kill(pid, SIGKILL) }
        #expect(left.isEmpty)
    }
}
