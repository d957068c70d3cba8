import Messages
import Vision

@testable import Node

/// A model that does what the test says. One that finds so many boxes in each picture, or gives each input a class.
struct StubModel: VisionModel {
    let manifest: ModelManifest
    var maxBatchSize = 1
    var boxes = 1
    var onWarmUp: @Sendable () -> Void = {}
    /// With the number of inputs.
    var onPass: @Sendable (Int) -> Void = { _ in }

    static func detector(boxes: Int = 1, onPass: @Sendable @escaping (Int) -> Void = { _ in }) throws -> StubModel {
        StubModel(
            manifest: try TestModels.store().manifest(named: TestModels.detector), boxes: boxes, onPass: onPass)
    }

    static func classifier(onPass: @Sendable @escaping (Int) -> Void = { _ in }) throws -> StubModel {
        StubModel(manifest: try TestModels.store().manifest(named: TestModels.classifier), onPass: onPass)
    }

    func warmUp() throws(VisionError) { onWarmUp() }

    func detect(
        _ inputs: [ModelInput], minConfidence: [Float]
    ) throws(VisionError) -> (found: [[Detection]], times: StageTimes) {
        onPass(inputs.count)
        let box = Detection(classID: 0, label: "digit", confidence: 0.9, box: Box(x: 1, y: 1, width: 20, height: 20))
        return (inputs.map { _ in Array(repeating: box, count: boxes) }, StageTimes())
    }

    func classify(
        _ inputs: [ModelInput], topK: [Int]
    ) throws(VisionError) -> (found: [[Classification]], times: StageTimes) {
        onPass(inputs.count)
        return (inputs.map { _ in [Classification(classID: 1, label: "one", confidence: 1)] }, StageTimes())
    }
}
