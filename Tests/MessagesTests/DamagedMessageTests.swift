import NIOCore
import Testing

@testable import Messages

/// Every truncation and every flipped bit of a message of each type is an error or a message, never a crash.
@Suite struct DamagedMessageTests {
    static let frame = Frame(
        stream: "cam-1", sequence: 300, captureTime: 1_700_000_000_000_000, encoding: .jpeg, width: 640, height: 480,
        rowStride: 1920, payload: .attached(ByteBuffer(bytes: [1, 2, 3])))
    static let detection = Detection(
        classID: 7, label: "seven", confidence: 0.75, box: Box(x: 1, y: 2, width: 30, height: 40), trackID: 5,
        classes: [Classification(classID: 3, label: "three", confidence: 0.5)])

    static let analysis: AnalyzeResponse = {
        var answer = AnalyzeResponse()
        answer.stream = "cam-1"
        answer.cause = "why"
        answer.detections = [detection, detection]
        answer.classes = detection.classes
        answer.timing = [Timing("detect.infer", microseconds: 1234)]
        answer.missing = ["classify"]
        return answer
    }()

    static let detected: DetectResponse = {
        var answer = DetectResponse()
        answer.detections = [detection]
        answer.timing = analysis.timing
        return answer
    }()

    static let classified: ClassifyResponse = {
        var answer = ClassifyResponse()
        answer.regions = [[], detection.classes]
        answer.timing = analysis.timing
        return answer
    }()

    static let fused: FusedResponse = {
        var answer = FusedResponse()
        answer.detections = [detection]
        answer.classes = detection.classes
        answer.timing = analysis.timing
        answer.failures = [StageFailure(stage: "classify", code: 13, message: "why")]
        return answer
    }()

    static let node: NodeDescription = {
        var model = ModelDescription()
        model.name = "yolo"
        model.inputWidth = 320
        var node = NodeDescription()
        node.role = "detector"
        node.models = [model]
        return node
    }()

    static let nodes: ListNodesResponse = {
        var state = NodeState()
        state.address = "127.0.0.1:1"
        state.description = node
        return ListNodesResponse(nodes: [state])
    }()

    static func damage<T: WireCodable>(_ value: T) {
        let whole = value.encode()
        for length in 0..<whole.message.readableBytes {
            let cut = whole.message.getSlice(at: whole.message.readerIndex, length: length)!
            _ = try? T.decode(WireMessage(message: cut, pixels: whole.pixels))
        }
        for byte in 0..<whole.message.readableBytes {
            let old: UInt8 = whole.message.getInteger(at: whole.message.readerIndex + byte)!
            for bit in 0..<8 {
                var flipped = whole.message
                flipped.setInteger(old ^ (1 << bit), at: flipped.readerIndex + byte)
                _ = try? T.decode(WireMessage(message: flipped, pixels: whole.pixels))
                _ = try? T.decode(WireMessage(message: flipped))
            }
        }
    }

    @Test func requestsSurvive() {
        Self.damage(
            AnalyzeRequest(
                frame: Self.frame, pipeline: "p", minConfidence: 0.5, policy: .latest, frameDeadline: 9, topK: 2))
        Self.damage(DetectRequest(frame: Self.frame, model: "m", minConfidence: 0.5))
        Self.damage(ClassifyRequest(frame: Self.frame, model: "c", regions: [Self.detection.box], topK: 5))
        Self.damage(
            FusedRequest(
                frame: Self.frame, detectModel: "m", minConfidence: 0.5, classifyModel: "c", topK: 5, boxes: 9,
                boxConfidence: 0.25))
    }

    @Test func answersSurvive() {
        Self.damage(Self.analysis)
        Self.damage(Self.detected)
        Self.damage(Self.classified)
        Self.damage(Self.fused)
        Self.damage(Self.node)
        Self.damage(Self.nodes)
        Self.damage(
            ListPipelinesResponse(pipelines: [
                PipelineDescription(name: "p", stages: ["detect"], needsStream: true, text: "t")
            ]))
    }
}
