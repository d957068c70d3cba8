import Foundation
import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Telemetry
import Testing
import Vision

@testable import Node

extension RealNodes {
    /// Both stages on a picture that is decoded once: the same answers as of two nodes.
    @Suite struct FusedNodeTests {
        @Test func theWholeFrameIsClassifiedAndItsObjectsAreFound() async throws {
            let pictures = try TestModels.pictures()
            let expected = try Expected.of(pictures, boxes: 0)
            try await TestNode.with(.node) { node in
                for (index, picture) in pictures.enumerated() {
                    let response = try await node.both(picture, sequence: UInt64(index + 7), topK: 2)
                    #expect(response.detections == expected[index].found)
                    #expect(response.classes == expected[index].whole)
                    #expect(response.sequence == UInt64(index + 7) && response.failures.isEmpty)
                    #expect(response.width > 0 && response.height > 0)
                    #expect(
                        response.timing.map(\.stage) == [
                            "queue", "decode", "detect.preprocess", "detect.infer", "detect.postprocess",
                            "classify.preprocess", "classify.infer", "classify.postprocess",
                        ])
                }
            }
            #expect(expected.contains { !$0.found.isEmpty })
        }

        @Test(arguments: [1, 3, 64])
        func boxesAreClassifiedWhereTheyWereFound(_ boxes: Int) async throws {
            let pictures = try TestModels.pictures()
            let expected = try Expected.of(pictures, boxes: boxes)
            try await TestNode.with(.node) { node in
                for (picture, expected) in zip(pictures, expected) {
                    let response = try await node.both(picture, boxes: boxes, topK: 2)
                    #expect(response.detections == expected.found)
                    #expect(response.classes.isEmpty)
                }
            }
            #expect(expected.contains { $0.found.contains { !$0.classes.isEmpty } })
        }

        @Test func noBoxNoClasses() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.node) { node in
                let weak = try await node.both(picture, boxes: 64) { $0.boxConfidence = 1 }
                #expect(!weak.detections.isEmpty && weak.detections.allSatisfy(\.classes.isEmpty))
                #expect(weak.timing.map(\.stage).contains("detect.infer"))
                #expect(!weak.timing.contains { $0.stage.hasPrefix("classify") })
                let none = try await node.both(picture, boxes: 64) { $0.minConfidence = 1 }
                #expect(none.detections.isEmpty && none.failures.isEmpty)
            }
        }

        @Test func pixelsInTheMessageAndAStreamGiveTheSameAnswers() async throws {
            let pictures = try TestModels.pictures()
            let expected = try Expected.of(pictures, boxes: 64)
            try await TestNode.with(.node) { node in
                let call = try await node.connection.open(
                    MethodPath.fusedStream, options: .init(deadline: .after(TestNode.patience)))
                var answers = call.responses.makeAsyncIterator()
                for (index, picture) in pictures.enumerated() {
                    var frame = TestModels.frame(picture, sequence: UInt64(index))
                    // As a client sends it that knows no attachments.
                    if index.isMultiple(of: 2) { frame.payload = .inline(picture) }
                    try await call.send(Payload(FusedRequest(frame: frame, topK: 2, boxes: 64)))
                    let answer = try FusedResponse.decode(try #require(try await answers.next()))
                    #expect(answer.sequence == UInt64(index) && answer.detections == expected[index].found)
                }
                call.finishSending()
                #expect(try await answers.next() == nil)
            }
        }

        @Test func batchesAnswerLikeSingles() async throws {
            let pictures = try TestModels.pictures().prefix(4)
            let expected = try Expected.of(Array(pictures), boxes: 64)
            try await TestNode.with(
                .node,
                configure: {
                    $0.maxBatchSize = 4
                    $0.maxQueueDelay = .seconds(20)
                }
            ) { node in
                let responses = try await withThrowingTaskGroup(of: FusedResponse.self) { group in
                    for (index, picture) in pictures.enumerated() {
                        group.addTask {
                            try await node.both(picture, sequence: UInt64(index), boxes: 64, topK: 2)
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.sequence < $1.sequence }
                }
                // One pass for all four.
                #expect(Set(responses.map { $0.timing.first { $0.stage == "detect.infer" } }).count == 1)
                for (response, expected) in zip(responses, expected) {
                    #expect(response.detections.map(\.classID) == expected.found.map(\.classID))
                    let labels = response.detections.map { $0.classes.map(\.label) }
                    #expect(labels == expected.found.map { $0.classes.map(\.label) })
                }
            }
        }

        @Test func itIsADetectorAndAClassifierToo() async throws {
            let picture = try #require(try TestModels.pictures().first)
            let expected = try #require(try Expected.of([picture], boxes: 0, topK: 2).first)
            try await TestNode.with(.node) { node in
                let found = try await node.detect(picture)
                #expect(found.detections == expected.found)
                #expect(found.timing.map(\.stage) == ["queue", "decode", "preprocess", "infer", "postprocess"])
                #expect(try await node.classify(picture, topK: 2).regions == [expected.whole])
                let description = try await node.describe()
                #expect(description.role == "node")
                #expect(description.models.map(\.task) == ["detection", "classification"])
                for name in [
                    ServiceName.detector, ServiceName.classifier, ServiceName.fused, TestModels.detector,
                    TestModels.classifier,
                ] {
                    let status = try await node.connection.checkHealth(
                        of: name, options: .init(deadline: .after(TestNode.patience)))
                    #expect(status == .serving, "\(name)")
                }
            }
            // A node of one stage does not say that it does both.
            try await TestNode.with(.detector) { node in
                let error = await failure { try await node.both(picture) }
                #expect(error?.code == .unimplemented)
            }
        }

        @Test func whatCannotBeIsTheSendersFault() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.node, configure: { $0.maxRegions = 8 }) { node in
                func error(_ change: (inout FusedRequest) -> Void) async -> RPCError? {
                    await failure { try await node.both(picture, change) }
                }
                #expect(await error { $0.minConfidence = .nan }?.code == .invalidArgument)
                #expect(await error { $0.boxConfidence = 2 }?.message == "box_confidence 2.0 is not in 0…1")
                #expect(await error { $0.boxes = 9 }?.message == "9 boxes exceed the limit of 8")
                #expect(await error { $0.detectModel = TestModels.classifier }?.code == .notFound)
                #expect(await error { $0.classifyModel = "other" }?.code == .notFound)
                let bad = await failure { try await node.both(ByteBuffer(string: "not a picture")) }
                #expect(bad?.code == .invalidArgument)
            }
        }

        /// The model has 10 classes. Whatever is found in the picture, so many boxes may be.
        @Test func moreClassesThanAnAnswerHasAreRefused() async throws {
            let picture = try #require(try TestModels.pictures().first)
            let most = Classification.maxPerAnswer / 10
            try await TestNode.with(.node, configure: { $0.maxRegions = 2 * most }) { node in
                let error = await failure { try await node.both(picture, boxes: most + 1, topK: 1_000_000) }
                #expect(error?.code == .invalidArgument)
                #expect(error?.message == "10 classes of each of 1201 boxes exceed the limit of 12000 in one answer")
                // It did not come to a worker.
                #expect(try await node.describe().accepted == 0)
                let answer = try await node.both(picture, boxes: most, topK: 1_000_000)
                #expect(answer.detections.contains { $0.classes.count == 10 })
                #expect(try await node.both(picture, boxes: most + 1, topK: 1).failures.isEmpty)
                #expect(try await node.both(picture, topK: 1_000_000).classes.count == 10)
            }
        }

        /// A model whose passes fail.
        private struct BrokenModel: VisionModel {
            let manifest: ModelManifest
            var maxBatchSize: Int { 1 }

            func warmUp() throws(VisionError) {}
            func detect(
                _ inputs: [ModelInput], minConfidence: [Float]
            ) throws(VisionError) -> (found: [[Detection]], times: StageTimes) { throw Self.error }
            func classify(
                _ inputs: [ModelInput], topK: [Int]
            ) throws(VisionError) -> (found: [[Classification]], times: StageTimes) { throw Self.error }

            private static let error = VisionError(.internalFailure, "it is broken")
        }

        /// A node one of whose models is broken, or both.
        private static func with(broken: Set<String>, _ body: (TestNode) async throws -> Void) async throws {
            try await TestNode.with(
                .node,
                configure: {
                    let usual = $0.load
                    $0.load = { (manifest, node) throws(VisionError) in
                        broken.contains(manifest.name) ? BrokenModel(manifest: manifest) : try usual(manifest, node)
                    }
                }, body)
        }

        @Test func aStageThatFailsLeavesTheOther() async throws {
            let picture = try #require(try TestModels.pictures().first)
            let expected = try #require(try Expected.of([picture], boxes: 0, topK: 2).first)
            let failed = StageFailure(stage: "classify", code: 13, message: "it is broken")
            try await Self.with(broken: [TestModels.classifier]) { node in
                for boxes in [0, 64] {
                    let answer = try await node.both(picture, boxes: boxes)
                    #expect(answer.detections == expected.found && answer.failures == [failed])
                }
            }
            try await Self.with(broken: [TestModels.detector]) { node in
                let answer = try await node.both(picture, topK: 2)
                #expect(answer.classes == expected.whole && answer.failures.map(\.stage) == ["detect"])
                // There is nothing that could be classified.
                #expect(await failure { try await node.both(picture, boxes: 64) }?.code == .internal)
            }
            try await Self.with(broken: [TestModels.detector, TestModels.classifier]) { node in
                #expect(await failure { try await node.both(picture) }?.code == .internal)
            }
        }

        // ---- time ----

        @Test func boxesComeInTimeWhereThereIsNoneForClasses() async throws {
            let picture = try #require(try TestModels.pictures().first)
            // The second pass is the one that is measured.
            let passes = Mutex(0)
            try await TestNode.with(
                .node,
                configure: {
                    $0.load = { (manifest, _) throws(VisionError) in
                        var model = StubModel(manifest: manifest)
                        guard manifest.task == .classification else { return model }
                        model.onWarmUp = {
                            let number = passes.withLock { number in
                                number += 1
                                return number
                            }
                            if number == 2 { Thread.sleep(forTimeInterval: 5) }
                        }
                        return model
                    }
                }
            ) { node in
                let request = FusedRequest(frame: TestModels.frame(picture), boxes: 64)
                let answer = try await node.client.fused(request, deadline: .after(.seconds(4)))
                #expect(answer.detections.count == 1 && answer.detections[0].classes.isEmpty)
                #expect(answer.failures.map(\.stage) == ["classify"] && answer.failures.map(\.code) == [4])
                // With enough of it there are both.
                let whole = try await node.both(picture, boxes: 64)
                #expect(whole.failures.isEmpty && whole.detections[0].classes.map(\.label) == ["one"])
            }
        }

        @Test func theTimesOfEachStageAreMeasuredApart() async throws {
            let metrics = PrometheusMetrics()
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.node, configure: { $0.metrics = metrics }) { node in
                for _ in 0..<2 { _ = try await node.both(picture) }
                _ = try await node.detect(picture)
                let text = metrics.text
                for (stage, count) in [
                    ("queue", 3), ("decode", 3), ("detect.infer", 3), ("classify.infer", 2), ("detect.preprocess", 3),
                    ("classify.postprocess", 2),
                ] {
                    #expect(
                        text.contains("framemesh_stage_seconds_count{role=\"node\",stage=\"\(stage)\"} \(count)\n"))
                }
                #expect(text.contains("framemesh_frames_total{outcome=\"answered\",role=\"node\"} 3.0\n"))
            }
        }

        @Test func bothStagesWaitInOneQueue() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.node, configure: { $0.queueLimit = 2 }) { node in
                let busy = node.occupy(picture)
                try await node.until { $0.inFlight == 1 }
                let waiting = [
                    Task { _ = try await node.detect(picture) }, Task { _ = try await node.both(picture) },
                ]
                try await node.until { $0.queueDepth == 2 }
                #expect(await failure { try await node.both(picture) }?.code == .resourceExhausted)
                #expect(await failure { try await node.classify(picture) }?.code == .resourceExhausted)
                _ = try await busy.value
                for call in waiting { try await call.value }
            }
        }
    }
}
