import Dispatch
import Messages
import NIOCore
import RPC
import Synchronization
import Testing
import Vision

@testable import Node

extension RealNodes {
    /// Both stages of a picture at the same time, on two workers.
    @Suite struct FusedWorkersTests {
        /// A detector that waits until a classifier is at work too: one worker alone never gets there.
        private struct MeetingModel: VisionModel {
            let manifest: ModelManifest
            let meeting: DispatchSemaphore
            let patience: DispatchTimeInterval
            var maxBatchSize: Int { 1 }

            func warmUp() throws(VisionError) {}
            func detect(
                _ inputs: [ModelInput], minConfidence: [Float]
            ) throws(VisionError) -> (found: [[Detection]], times: StageTimes) {
                guard meeting.wait(timeout: .now() + patience) == .success else {
                    throw VisionError(.internalFailure, "nobody came")
                }
                return (inputs.map { _ in [] }, Self.times)
            }
            func classify(
                _ inputs: [ModelInput], topK: [Int]
            ) throws(VisionError) -> (found: [[Classification]], times: StageTimes) {
                meeting.signal()
                return (inputs.map { _ in [Classification(classID: 1, label: "one", confidence: 1)] }, Self.times)
            }

            /// Longer than the test takes.
            private static let times: StageTimes = {
                var times = StageTimes()
                times.infer = 3_600_000_000
                return times
            }()
        }

        private static func meeting(
            workers: Int, patience: DispatchTimeInterval, _ body: (TestNode) async throws -> Void
        ) async throws {
            let meeting = DispatchSemaphore(value: 0)
            try await TestNode.with(
                .node,
                configure: {
                    $0.workers = workers
                    $0.load = { (manifest, _) throws(VisionError) in
                        MeetingModel(manifest: manifest, meeting: meeting, patience: patience)
                    }
                }, body)
        }

        @Test func aWorkerThatSleepsTakesTheSecondModelMeanwhile() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await Self.meeting(workers: 2, patience: .milliseconds(500)) { node in
                var overlap: UInt64?
                // A worker that has not fallen asleep yet is asked by nobody.
                while overlap == nil {
                    let answer = try await node.both(picture)
                    #expect(answer.classes.map(\.label) == ["one"])
                    overlap = answer.timing.first { $0.stage == Timing.overlap }?.microseconds
                    if overlap != nil { #expect(answer.failures.isEmpty) }
                }
                // An hour of each model, of which next to nothing has passed.
                #expect((3_600_000_000...7_200_000_000).contains(overlap ?? 0))
                #expect(try await node.describe().inFlight == 0)
            }
        }

        @Test func withNobodyFreeOneWorkerDoesBoth() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await Self.meeting(workers: 1, patience: .milliseconds(1)) { node in
                let answer = try await node.both(picture)
                #expect(answer.failures.map(\.message) == ["nobody came"] && answer.classes.count == 1)
                #expect(!answer.timing.contains { $0.stage == Timing.overlap })
            }
        }

        @Test func answersAreTheSameFromTwoWorkers() async throws {
            let pictures = try TestModels.pictures()
            let expected = try Expected.of(pictures, boxes: 0)
            try await TestNode.with(.node, configure: { $0.workers = 3 }) { node in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            let index = number % pictures.count
                            let answer = try await node.both(pictures[index], sequence: UInt64(number), topK: 2)
                            #expect(answer.detections == expected[index].found)
                            #expect(answer.classes == expected[index].whole && answer.sequence == UInt64(number))
                        }
                    }
                    try await group.waitForAll()
                }
                // With so much to do perhaps nobody helped; one at a time somebody does, once all have fallen asleep.
                var helped: Set<Int> = []
                while helped.count < pictures.count {
                    for index in pictures.indices where !helped.contains(index) {
                        let answer = try await node.both(pictures[index], topK: 2)
                        #expect(answer.detections == expected[index].found && answer.classes == expected[index].whole)
                        if answer.timing.contains(where: { $0.stage == Timing.overlap }) { helped.insert(index) }
                    }
                }
            }
        }

        /// Where a classifier runs beside a detector, it does until the test ends.
        private final class Hanging: Sendable {
            private let isDetecting = Atomic(false)
            private let met = DispatchSemaphore(value: 0)
            private let end = DispatchSemaphore(value: 0)

            /// Gives a classifier the time to come.
            func detect() {
                isDetecting.store(true, ordering: .sequentiallyConsistent)
                _ = met.wait(timeout: .now() + .milliseconds(500))
                isDetecting.store(false, ordering: .sequentiallyConsistent)
            }

            func classify() {
                guard isDetecting.load(ordering: .sequentiallyConsistent) else { return }
                met.signal()
                end.wait()
            }

            func letGo() { end.signal() }
        }

        @Test func aHelperThatHangsDoesNotHoldUpTheEnd() async throws {
            let picture = try #require(try TestModels.pictures().first)
            let hanging = Hanging()
            try await TestNode.with(
                .node,
                configure: {
                    $0.workers = 2
                    $0.workerPatience = .seconds(2)
                    $0.server.drainTimeout = .milliseconds(100)
                    $0.load = { (manifest, _) throws(VisionError) in
                        StubModel(
                            manifest: manifest,
                            onPass: { _ in
                                if manifest.task == .detection { hanging.detect() } else { hanging.classify() }
                            })
                    }
                }
            ) { node in
                // A worker that has not fallen asleep yet is asked by nobody: then one does both, and hangs nowhere.
                var error: RPCError?
                while error == nil { error = await failure { try await node.both(picture) } }
                #expect(error?.code == .internal)
                let end = await #expect(throws: NodeError.self) { try await node.running.value }
                #expect(end?.message.contains("has not come back") == true)
                hanging.letGo()
            }
        }
    }
}
