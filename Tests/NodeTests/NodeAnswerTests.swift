import Messages
import NIOCore
import RPC
import Services
import Testing
import Vision

@testable import Node

extension RealNodes {
    /// Real models behind real sockets: what a node answers.
    @Suite struct NodeAnswerTests {
        @Test func detectionsAreThoseOfTheModel() async throws {
            let model = try TestModels.model(TestModels.detector)
            try await TestNode.with(.detector) { node in
                var found = 0
                for (index, picture) in try TestModels.pictures().enumerated() {
                    let image = try Image(decoding: TestModels.frame(picture))
                    let expected = try model.detect([ModelInput(image)], minConfidence: [0]).found[0]
                    let response = try await node.detect(picture, sequence: UInt64(index + 7))
                    #expect(response.detections == expected)
                    #expect(response.sequence == UInt64(index + 7))
                    #expect([response.width, response.height] == [image.width, image.height])
                    #expect(response.timing.map(\.stage) == ["queue", "decode", "preprocess", "infer", "postprocess"])
                    found += expected.count
                }
                #expect(found > 0)
            }
        }

        @Test func theThresholdOfTheRequestHolds() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.detector) { node in
                let few = try await node.detect(picture, minConfidence: 0.99).detections
                let many = try await node.detect(picture, minConfidence: 0.05).detections
                #expect(few.count < many.count)
                for wrong: Float in [.nan, -0.1, 1.5] {
                    let error = await failure { try await node.detect(picture, minConfidence: wrong) }
                    #expect(error?.code == .invalidArgument)
                }
            }
        }

        @Test func rawPixelsAreTakenAsTheyAre() async throws {
            let picture = try #require(try TestModels.pictures().first)
            let image = try Image(decoding: TestModels.frame(picture))
            var frame = TestModels.frame(image.pixels)
            frame.encoding = .bgr8
            frame.width = image.width
            frame.height = image.height
            try await TestNode.with(.detector) { [frame] node in
                let raw = try await node.client.detect(DetectRequest(frame: frame), deadline: .after(TestNode.patience))
                let compressed = try await node.detect(picture)
                #expect(raw.detections == compressed.detections)
            }
        }

        /// Boxes of digits in `picture`, and the two best classes of each, from the models themselves.
        private static func classes(in picture: ByteBuffer) throws -> (boxes: [Box], classes: [[Classification]]) {
            let image = try Image(decoding: TestModels.frame(picture))
            let found = try TestModels.model(TestModels.detector).detect([ModelInput(image)], minConfidence: [0]).found
            let boxes = found[0].map(\.box)
            let inputs = boxes.map { ModelInput(image, region: $0) }
            let classes = try TestModels.model(TestModels.classifier).classify(inputs, topK: boxes.map { _ in 2 }).found
            return (boxes, classes)
        }

        @Test func eachRegionGetsItsClasses() async throws {
            let picture = try #require(try TestModels.pictures().first)
            let (boxes, expected) = try Self.classes(in: picture)
            #expect(!boxes.isEmpty)
            try await TestNode.with(.classifier) { node in
                let response = try await node.classify(picture, sequence: 5, regions: boxes, topK: 2)
                #expect(response.regions == expected)
                #expect(response.regions.allSatisfy { $0.count == 2 })
                #expect(response.sequence == 5)
                let whole = try await node.classify(picture)
                #expect(whole.regions.count == 1)
            }
        }

        @Test func regionsThatCannotBeLookedAtAreNamed() async throws {
            let picture = try #require(try TestModels.pictures().first)
            let good = Box(x: 0, y: 0, width: 10, height: 10)
            try await TestNode.with(.classifier, configure: { $0.maxRegions = 8 }) { node in
                for wrong in [
                    Box(x: .nan, y: 0, width: 10, height: 10), Box(x: 0, y: .infinity, width: 10, height: 10),
                    Box(x: 0, y: 0, width: 0, height: 10), Box(x: 0, y: 0, width: 10, height: -1),
                    Box(x: 100_000, y: 0, width: 10, height: 10), Box(x: -20, y: 0, width: 10, height: 10),
                ] {
                    let error = await failure { try await node.classify(picture, regions: [good, wrong]) }
                    #expect(error?.code == .invalidArgument)
                    #expect(error?.message.hasPrefix("region 1 (") == true, "\(error?.message ?? "no error")")
                }
                let many = await failure { try await node.classify(picture, regions: Array(repeating: good, count: 9)) }
                #expect(many?.message == "9 regions exceed the limit of 8")
                // A box that reaches over the edge is clipped.
                _ = try await node.classify(picture, regions: [Box(x: -5, y: -5, width: 50, height: 50)])
            }
        }

        /// The model has 10 classes.
        @Test func moreClassesThanAnAnswerHasAreRefused() async throws {
            let picture = try #require(try TestModels.pictures().first)
            let most = Classification.maxPerAnswer / 10
            func regions(_ count: Int) -> [Box] {
                Array(repeating: Box(x: 0, y: 0, width: 10, height: 10), count: count)
            }
            try await TestNode.with(.classifier, configure: { $0.maxRegions = 2 * most }) { node in
                for topK in [10, 1_000_000] {
                    let error = await failure {
                        try await node.classify(picture, regions: regions(most + 1), topK: topK)
                    }
                    #expect(error?.code == .invalidArgument)
                    #expect(
                        error?.message
                            == "10 classes of each of 1201 boxes exceed the limit of 12000 in one answer")
                }
                // None of it came to a worker.
                #expect(try await node.describe().accepted == 0)
                let answer = try await node.classify(picture, regions: regions(most), topK: 1_000_000)
                #expect(answer.regions.count == most && answer.regions.allSatisfy { $0.count == 10 })
                #expect(try await node.classify(picture, regions: regions(most + 1), topK: 1).regions.count == most + 1)
                #expect(try await node.classify(picture, topK: 1_000_000).regions.map(\.count) == [10])
            }
        }

        @Test func badPicturesAreTheSendersFaultAndTheNodeLives() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.detector) { node in
                for bad in [
                    ByteBuffer(), ByteBuffer(string: "not a picture"),
                    picture.getSlice(at: 0, length: 100) ?? ByteBuffer(),
                ] {
                    let error = await failure { try await node.detect(bad) }
                    #expect(error?.code == .invalidArgument)
                    #expect(error?.message.contains("\n") == false)
                    #expect(error?.message.isEmpty == false)
                }
                try await #expect(node.detect(picture).detections.isEmpty == false)
            }
        }

        @Test func anUnknownModelIsAnsweredWithWhatThereIs() async throws {
            let picture = try #require(try TestModels.pictures().first)
            try await TestNode.with(.detector) { node in
                let error = await failure { try await node.detect(picture, model: "nothing\nof this") }
                #expect(error?.code == .notFound)
                #expect(error?.message == "no model \"nothing?of this\" here; there is digits-detector")
                let named = try await node.detect(picture, model: TestModels.detector)
                #expect(!named.detections.isEmpty)
            }
        }

        @Test func batchesAnswerLikeSingles() async throws {
            let pictures = try TestModels.pictures().prefix(4)
            var singles: [[Detection]] = []
            try await TestNode.with(.detector) { node in
                for picture in pictures { singles.append(try await node.detect(picture).detections) }
            }
            try await TestNode.with(
                .detector,
                configure: {
                    $0.maxBatchSize = 4
                    $0.maxQueueDelay = .seconds(20)
                }
            ) { node in
                let maxBatchSize = try await node.describe().models.first?.maxBatchSize
                try #require(maxBatchSize == 4, "the detector takes batches")
                let responses = try await withThrowingTaskGroup(of: DetectResponse.self) { group in
                    for (index, picture) in pictures.enumerated() {
                        group.addTask { try await node.detect(picture, sequence: UInt64(index)) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.sequence < $1.sequence }
                }
                // One pass for all four.
                #expect(Set(responses.map { $0.timing.first { $0.stage == "infer" } }).count == 1)
                for (response, single) in zip(responses, singles) {
                    #expect(response.detections.count == single.count)
                    for (a, b) in zip(response.detections, single) {
                        #expect(a.classID == b.classID)
                        #expect(a.box.iou(b.box) > 0.99)
                        #expect(abs(a.confidence - b.confidence) < 0.001)
                    }
                }
            }
        }

        @Test func manyClientsEachGetTheirOwnAnswers() async throws {
            let pictures = try TestModels.pictures()
            let model = try TestModels.model(TestModels.detector)
            let expected = try pictures.map { picture in
                let image = try Image(decoding: TestModels.frame(picture))
                return try model.detect([ModelInput(image)], minConfidence: [0]).found[0]
            }
            let clients = 8
            let requests = 25
            try await TestNode.with(
                .detector,
                configure: {
                    $0.workers = 2
                    $0.queueLimit = clients * requests
                }
            ) { node in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for client in 0..<clients {
                        let connection = try await TestNode.connect(to: node.server.address)
                        let own = TestNode(server: node.server, running: node.running, connection: connection)
                        for request in 0..<requests {
                            let sequence = client * requests + request
                            group.addTask {
                                let picture = sequence % pictures.count
                                let response = try await own.detect(pictures[picture], sequence: UInt64(sequence))
                                #expect(response.sequence == UInt64(sequence))
                                #expect(response.detections == expected[picture])
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let description = try await node.describe()
                #expect(description.accepted == UInt64(clients * requests))
                #expect(description.completed == description.accepted)
                #expect([description.queueDepth, description.inFlight] == [0, 0])
            }
        }
    }
}
