import Messages
import NIOCore
import Vision

/// What a detector and a classifier say, each by itself.
struct Expected {
    var found: [Detection]
    var whole: [Classification]

    private init(_ picture: ByteBuffer, _ detector: Model, _ classifier: Model, boxes: Int, topK: Int) throws {
        let image = try Image(decoding: TestModels.frame(picture))
        found = try detector.detect([ModelInput(image)], minConfidence: [0]).found[0]
        whole = try classifier.classify([ModelInput(image)], topK: [topK]).found[0]
        let chosen = found.strongest(boxes, from: 0)
        let inputs = chosen.map { ModelInput(image, region: found[$0].box) }
        let classes = try classifier.classify(inputs, topK: inputs.map { _ in topK }).found
        for (box, classes) in zip(chosen, classes) { found[box].classes = classes }
    }

    static func of(_ pictures: [ByteBuffer], boxes: Int, topK: Int = 2) throws -> [Expected] {
        let detector = try TestModels.model(TestModels.detector)
        let classifier = try TestModels.model(TestModels.classifier)
        return try pictures.map { try Expected($0, detector, classifier, boxes: boxes, topK: topK) }
    }
}
