import Foundation
import Messages
import Testing

@testable import Vision

@Suite struct ModelTests {
    @Test func boxesAreInPixelsOfThePicture() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let model = try tiny.model("bright-cells")
        // Each of 8 x 8 cells covers 8 x 8 pixels of 64 x 64.
        let image = try TinyModels.square(width: 64, height: 64, x: 40, y: 16, side: 8)
        let found = try model.detect([ModelInput(image)], minConfidence: [0]).found
        try #require(found.count == 1 && found[0].count == 1)
        let detection = found[0][0]
        #expect(detection.label == "bright" && detection.classID == 0)
        #expect(detection.confidence > 0.9 && detection.confidence <= 1)
        #expect(detection.box.iou(Box(x: 40, y: 16, width: 8, height: 8)) > 0.99, "\(detection.box)")
    }

    @Test func aRegionIsSeenAlone() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let model = try tiny.model("bright-cells")
        let image = try TinyModels.square(width: 64, height: 64, x: 40, y: 16, side: 8)
        func found(_ region: Box) throws -> [Detection] {
            try model.detect([ModelInput(image, region: region)], minConfidence: [0]).found[0]
        }
        #expect(try found(Box(x: 0, y: 0, width: 32, height: 64)).isEmpty)
        // The region is stretched to the input: the square covers 2 x 2 cells, of 4 x 4 pixels each.
        let near = try found(Box(x: 32, y: 0, width: 32, height: 32))
        #expect(near.count == 4)
        #expect(near.allSatisfy { $0.box.x >= 40 && $0.box.y >= 16 && $0.box.width == 4 && $0.box.height == 4 })
        // What sticks out of the picture is cut off.
        #expect(try found(Box(x: 32, y: -100, width: 900, height: 132)).count == 4)
        #expect(throws: VisionError.self) { try found(Box(x: 70, y: 0, width: 5, height: 5)) }
        #expect(throws: VisionError.self) { try found(Box(x: 1, y: 1, width: 0, height: 5)) }
        #expect(throws: VisionError.self) { try found(Box(x: .nan, y: 1, width: 5, height: .infinity)) }
    }

    @Test func inputsBeyondTheBatchRunInSeveralPasses() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let model = try tiny.model("bright-cells", maxBatchSize: 3)
        #expect(model.maxBatchSize == 3)
        let inputs = try (0..<8).map {
            ModelInput(try TinyModels.square(width: 64, height: 64, x: 8 * $0, y: 16, side: 8))
        }
        let found = try model.detect(inputs, minConfidence: []).found
        #expect(found.map(\.count) == Array(repeating: 1, count: 8))
        #expect(found.map { $0.first?.box.x } == (0..<8).map { Float(8 * $0) })
        // Sizes of batches may change at will.
        #expect(try model.detect([inputs[5]], minConfidence: [0]).found[0].first?.box.x == 40)
        #expect(try model.detect([], minConfidence: []).found.isEmpty)
    }

    @Test func eachInputHasItsOwnThreshold() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let model = try tiny.model("bright-cells", maxBatchSize: 2)
        let image = try TinyModels.square(width: 64, height: 64, x: 40, y: 16, side: 8)
        let inputs = [ModelInput(image), ModelInput(image), ModelInput(image)]
        // A dark cell has a confidence of sigmoid(-10) = 0.000045.
        let found = try model.detect(inputs, minConfidence: [1, 0, 0.00001]).found
        #expect(found.map(\.count) == [0, 1, 64])
        #expect(found[2][0].confidence > 0.9, "strongest first")
    }

    @Test func classesAreBestFirstAndAsManyAsAsked() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let model = try tiny.model("mean-colour", maxBatchSize: 4)
        #expect(model.maxBatchSize == 4)
        let inputs = [
            ModelInput(try TinyModels.plain([51, 204, 102])), ModelInput(try TinyModels.plain([255, 0, 0])),
        ]
        let found = try model.classify(inputs, topK: [0, 1]).found
        #expect(found[0].map(\.label) == ["green", "red"])
        #expect(abs(found[0][0].confidence - 0.8) < 0.001 && abs(found[0][1].confidence - 0.4) < 0.001)
        #expect(found[1].map(\.label) == ["blue"])
        #expect(throws: VisionError.self) { try model.detect(inputs, minConfidence: []) }
    }

    @Test func aModelWhoseBatchesDifferRunsSingles() throws {
        let tiny = try TinyModels()
        defer { tiny.remove() }
        let model = try tiny.model("mixes-batches", maxBatchSize: 4)
        #expect(model.maxBatchSize == 1)
        let image = ModelInput(try TinyModels.plain([255, 0, 0]))
        let one = try model.classify([image], topK: [1]).found[0]
        #expect(try model.classify([image, image, image], topK: [1, 1, 1]).found == [one, one, one])
    }

    @Test(.enabled(if: Place.announceSkip("batches of real models")))
    func realModelsBatchOnlyWhereTheyMay() throws {
        let store = try Place.store()
        func batch(_ name: String) throws -> Int {
            try Model(store.manifest(named: name), store: store, maxBatchSize: 2).maxBatchSize
        }
        // FastestDet throws in OpenCV 4.6, UltraFace answers with wrong numbers.
        #expect(try batch("FastestDet") == 1)
        #expect(try batch("ultraface-RFB-320") == 1)
        #expect(try batch("yolo-fastest-1.1") == 2)
        #expect(try batch("squeezenet-1.1") == 2)
    }

    /// A tracker asks for boxes that are weaker than Darknet's own limit of 0.2.
    @Test(.enabled(if: Place.announceSkip("weak boxes")))
    func weakBoxesAreThereForWhoAsks() throws {
        let store = try Place.store()
        let model = try Model(store.manifest(named: "yolo-fastest-1.1"), store: store)
        try model.warmUp()
        let found = try model.detect([ModelInput(Place.picture("dog.jpg"))], minConfidence: [0.1]).found[0]
        #expect(found.contains { $0.confidence < 0.2 } && found.allSatisfy { $0.confidence >= 0.1 })
        #expect(zip(found, found.dropFirst()).allSatisfy { $0.confidence >= $1.confidence })
    }
}
