import Coordination
import Messages
import Vision

/// The nets of one thread, and what they make of a frame.
final class InProcessRunner {
    private let detector: Model?
    private let classifier: Model?
    private let pipeline: Pipeline
    private let options: AnalyzeOptions

    /// Loads and warms up.
    init(_ bench: InProcessBench) throws(VisionError) {
        detector = try Self.load(bench.detectModel, bench)
        classifier = try Self.load(bench.classifyModel, bench)
        pipeline = bench.pipeline
        options = bench.options
    }

    private static func load(_ manifest: ModelManifest?, _ bench: InProcessBench) throws(VisionError) -> Model? {
        guard let manifest else { return nil }
        let model = try Model(manifest, store: bench.store, engine: bench.engine)
        try model.warmUp()
        return model
    }

    func analyze(_ frame: Frame) throws(VisionError) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.sequence = frame.sequence
        let start = ContinuousClock.now
        let image = try Image(decoding: frame)
        response.timing.append(Timing("decode", microseconds: (ContinuousClock.now - start).wholeMicroseconds))
        response.width = image.width
        response.height = image.height
        if let detector {
            let (found, times) = try detector.detect([ModelInput(image)], minConfidence: [options.minConfidence])
            response.detections = found.first ?? []
            response.add(times, of: "detect")
        }
        if let classifier, let stage = pipeline.classify {
            let topK = options.topK == 0 ? stage.topK : options.topK
            switch stage.input {
            case .frame:
                let (found, times) = try classifier.classify([ModelInput(image)], topK: [topK])
                response.classes = found.first ?? []
                response.add(times, of: "classify")
            case .boxes(let limit): try classify(limit, topK, image, classifier, &response)
            }
        }
        response.timing.append(Timing("total", microseconds: (ContinuousClock.now - start).wholeMicroseconds))
        return response
    }

    private func classify(
        _ limit: Int, _ topK: Int, _ image: Image, _ classifier: Model, _ response: inout AnalyzeResponse
    ) throws(VisionError) {
        let chosen = response.detections.indices.prefix(limit)
        guard !chosen.isEmpty else { return }
        let regions = chosen.map { ModelInput(image, region: response.detections[$0].box) }
        let (found, times) = try classifier.classify(regions, topK: regions.map { _ in topK })
        for (index, classes) in zip(chosen, found) { response.detections[index].classes = classes }
        response.add(times, of: "classify")
    }
}

extension AnalyzeResponse {
    fileprivate mutating func add(_ times: Vision.StageTimes, of stage: String) {
        timing.append(Timing("\(stage).preprocess", microseconds: times.preprocess))
        timing.append(Timing("\(stage).infer", microseconds: times.infer))
        timing.append(Timing("\(stage).postprocess", microseconds: times.postprocess))
    }
}

extension Duration {
    fileprivate var wholeMicroseconds: UInt64 { UInt64(max(0, self / .microseconds(1))) }
}
