import NIOCore
import TestSupport
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

    /// The fields of a message, each with its bytes and the content of those that have one; nil: it is none.
    private static func fields(of message: [UInt8]) -> [(bytes: [UInt8], content: [UInt8]?)]? {
        func varint(_ place: inout Int) -> Int? {
            var value = 0
            for shift in stride(from: 0, to: 63, by: 7) {
                guard place < message.count else { return nil }
                value |= Int(message[place] & 0x7f) << shift
                place += 1
                if message[place - 1] < 0x80 { return value }
            }
            return nil
        }
        var fields: [(bytes: [UInt8], content: [UInt8]?)] = []
        var place = 0
        while place < message.count {
            let start = place
            guard let tag = varint(&place), tag >> 3 > 0 else { return nil }
            var content: [UInt8]?
            switch tag & 7 {
            case 0: guard varint(&place) != nil else { return nil }
            case 1: place += 8
            case 5: place += 4
            case 2:
                guard let length = varint(&place), length <= message.count - place else { return nil }
                content = Array(message[place..<place + length])
                place += length
            default: return nil
            }
            guard place <= message.count else { return nil }
            fields.append((Array(message[start..<place]), content))
        }
        return fields
    }

    /// P04: the message without each of its fields, with each twice, and with each that has a content emptied, or with
    /// such a change in it; in all messages that lie in it as well.
    private static func variants(of message: [UInt8]) -> [[UInt8]] {
        guard let fields = fields(of: message) else { return [] }
        return fields.indices.flatMap { index -> [[UInt8]] in
            let before = fields[..<index].flatMap(\.bytes)
            let after = fields[(index + 1)...].flatMap(\.bytes)
            let (own, content) = fields[index]
            var all = [before + after, before + own + own + after]
            guard let content else { return all }
            let tag = own.prefix { $0 >= 0x80 } + own.drop { $0 >= 0x80 }.prefix(1)
            all.append(before + tag + [0] + after)
            for changed in variants(of: content) where changed.count < 0x4000 {
                let length =
                    changed.count < 0x80
                    ? [UInt8(changed.count)] : [UInt8(changed.count & 0x7f | 0x80), UInt8(changed.count >> 7)]
                all.append(before + tag + length + changed + after)
            }
            return all
        }
    }

    private static func thin<T: WireCodable>(_ value: T) {
        let whole = value.encode()
        let variants = variants(of: [UInt8](whole.message.readableBytesView))
        // All are messages of the type; what has no frame or no picture may be refused.
        let taken = variants.count { variant in
            let message = ByteBuffer(bytes: variant)
            _ = try? T.decode(WireMessage(message: message))
            return (try? T.decode(WireMessage(message: message, pixels: whole.pixels))) != nil
        }
        #expect(variants.count >= 4, "\(T.self)")
        #expect(taken * 2 > variants.count, "\(T.self): \(taken) of \(variants.count)")
    }

    static func damage<T: WireCodable>(_ value: T) {
        thin(value)
        let whole = value.encode()
        Damage.each(of: whole.message) { damaged in
            _ = try? T.decode(WireMessage(message: damaged, pixels: whole.pixels))
            _ = try? T.decode(WireMessage(message: damaged))
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
