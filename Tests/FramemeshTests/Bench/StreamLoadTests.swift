import Bench
import Client
import Mesh
import Testing

@testable import framemesh

@Suite(.timeLimit(.minutes(5))) struct StreamLoadTests {
    private static func load(_ target: MeshTarget, _ streams: Int) throws -> StreamLoad {
        StreamLoad(
            target: target, options: AnalyzeOptions(pipeline: "detect"),
            inputs: try BenchInputs(making: #require(PictureSize("4x4")), isRaw: true), streams: streams,
            pace: .closed(perStream: 4))
    }

    /// One of two streams ends at its third answer, which is that of the fourth frame; the other one goes on.
    @Test func anAnswerOutOfOrderIsCountedAndEndsItsStreamOnly() async throws {
        let coordinator = SwappingCoordinator(swapping: "bench-0")
        let tally = try await coordinator.serve { place in
            let target = MeshTarget(
                place, MeshClientConfiguration(), AnalyzeOptions(pipeline: "detect"), survivesLoss: false)
            let (recorder, stop) = (Recorder(), StopSign())
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await Self.load(target, 2).run(recorder, until: stop) }
                while coordinator.answered("bench-0") < 4 { try await Task.sleep(for: .milliseconds(2)) }
                let enough = coordinator.answered("bench-1") + 100
                while coordinator.answered("bench-1") < enough { try await Task.sleep(for: .milliseconds(2)) }
                stop.raise()
                try await tasks.waitForAll()
            }
            target.close()
            return recorder.take().tally
        }
        #expect(tally.outOfOrder == 1 && tally.failed == 0)
        #expect(tally.ok == UInt64(coordinator.answered("bench-1") + 2))
    }
}
