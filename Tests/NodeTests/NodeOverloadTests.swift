import Foundation
import Messages
import NIOCore
import RPC
import Services
import Testing
import Vision

@testable import Node

extension RealNodes {
    /// What a node does with more than it can do, and with clients that leave.
    @Suite struct NodeOverloadTests {
        @Test func aFullQueueIsAnsweredAtOnce() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.classifier, configure: { $0.queueLimit = 2 }) { node in
                let running = node.occupy(picture)
                try await node.until { $0.inFlight == 1 }
                let waiting = [node.occupy(picture), node.occupy(picture)]
                try await node.until { $0.queueDepth == 2 }
                let refusal = await failure { try await node.classify(picture) }
                #expect(refusal?.code == .resourceExhausted)
                #expect(refusal?.message == "queue is full: 2 frames wait (limit 2)")
                for task in [running] + waiting { try await #expect(task.value.regions.count == TestNode.manyRegions) }
                let description = try await node.describe()
                #expect([description.accepted, description.completed, description.refused] == [3, 3, 1])
            }
        }

        @Test func aDeadlineThatCannotBeMetIsRefusedAtOnce() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.classifier) { node in
                let busy = (0..<20).map { _ in node.occupy(picture) }
                try await node.until { $0.accepted == 20 && $0.inFlight == 1 }
                let wait = try await node.describe().estimatedWait
                #expect(wait > 0)
                let request = ClassifyRequest(frame: TestModels.frame(picture))
                let refusal = await failure {
                    try await node.client.classify(request, deadline: .after(.microseconds(Int(wait) / 4)))
                }
                // By the node, if the request reached it in time.
                #expect(refusal?.code == .resourceExhausted)
                for task in busy { task.cancel() }
            }
        }

        @Test func clientsThatLeaveTakeTheirWorkAlong() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.classifier) { node in
                let running = node.occupy(picture)
                let gone = (0..<20).map { _ in node.occupy(picture) }
                try await node.until { $0.accepted == 21 }
                for task in gone { task.cancel() }
                for task in gone { #expect(await failure { try await task.value }?.code == .cancelled) }
                _ = await failure { try await running.value }
                try await node.until { $0.queueDepth == 0 && $0.inFlight == 0 }
                // Far from all of it was done.
                try await #expect(node.describe().completed < 21)
                try await #expect(node.classify(picture).regions.count == 1)
            }
        }

        @Test func workThatExpiresInTheQueueIsNotDone() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.classifier) { node in
                let running = node.occupy(picture)
                try await node.until { $0.inFlight == 1 }
                let request = ClassifyRequest(frame: TestModels.frame(picture))
                let late = await failure { try await node.client.classify(request, deadline: .after(.milliseconds(1))) }
                #expect(late?.code == .deadlineExceeded || late?.code == .resourceExhausted)
                _ = try await running.value
                let description = try await node.describe()
                #expect(description.completed == 1)
                #expect(description.queueDepth == 0)
            }
        }

        @Test func drainingAnswersWhatWasAccepted() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.classifier) { node in
                let accepted = (0..<12).map { _ in node.occupy(picture) }
                try await node.until { $0.accepted == 12 }
                node.running.cancel()
                for task in accepted { try await #expect(task.value.regions.count == TestNode.manyRegions) }
                // The connection goes away with its last call.
                try await node.running.value
                #expect(await failure { try await node.classify(picture) } != nil)
            }
        }

        /// Many passes may take longer than the patience with a worker, each of them does not.
        @Test func aWorkerThatGetsOnIsNotLost() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(
                .classifier,
                configure: {
                    $0.workerPatience = .seconds(3)
                    $0.load = { (manifest, _) throws(VisionError) in
                        StubModel(manifest: manifest, onPass: { _ in Thread.sleep(forTimeInterval: 0.5) })
                    }
                }
            ) { node in
                let regions = Array(repeating: Box(x: 0, y: 0, width: 20, height: 20), count: 160)
                let many = try await node.classify(picture, regions: regions)
                #expect(many.regions.count == 160)
                // It would have ended.
                let one = try await node.classify(picture)
                #expect(one.regions.count == 1)
            }
        }

        @Test func liveRequestsComeBeforeThoseThatSayTheyAreNone() async throws {
            var batch = Metadata()
            FramePriority.batch.tell(in: &batch)
            let order = try await order(
                of: [(2, batch, TestNode.patience), (3, batch, TestNode.patience), (4, [:], TestNode.patience)])
            #expect(order == ["4", "2", "3"])
        }

        /// A first attempt, which has half of the time of its call, came after a last one, which has all that is left.
        @Test func anAttemptHasThePlaceOfItsCall() async throws {
            let half: Metadata = ["framemesh-call-time": "200"]
            let order = try await order(
                of: [(2, [:], .seconds(400)), (3, half, .seconds(250)), (4, [:], .seconds(300))])
            #expect(order == ["4", "2", "3"])
        }

        /// In which order requests run, of so many regions, that wait for the only worker of a node.
        private func order(
            of requests: [(regions: Int, metadata: Metadata, time: Duration)]
        ) async throws -> [String] {
            let picture = try #require(try TestModels.pictures().first)
            let gate = Gate()
            let passes = Notes()
            try await TestNode.with(
                .classifier,
                configure: {
                    $0.load = { (manifest, _) throws(VisionError) in
                        StubModel(
                            manifest: manifest,
                            onPass: { inputs in
                                passes.note("\(inputs)")
                                if passes.all.count == 1 { gate.pass() }
                            })
                    }
                }
            ) { node in
                func call(regions: Int, _ options: CallOptions) -> Task<Void, any Error> {
                    let regions = Array(repeating: Box(x: 0, y: 0, width: 20, height: 20), count: regions)
                    let request = ClassifyRequest(frame: TestModels.frame(picture), regions: regions)
                    return Task {
                        _ = try await node.connection.unary(MethodPath.classify, Payload(request), options: options)
                    }
                }
                var calls = [call(regions: 0, CallOptions(deadline: .after(TestNode.patience)))]
                await gate.isReached()
                for (depth, request) in requests.enumerated() {
                    let options = CallOptions(metadata: request.metadata, deadline: .after(request.time))
                    calls.append(call(regions: request.regions, options))
                    try await node.until { $0.queueDepth == depth + 1 }
                }
                gate.open()
                for call in calls { try await call.value }
            }
            return Array(passes.all.dropFirst())
        }
    }
}
