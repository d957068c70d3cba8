import Foundation
import NIOCore

@testable import HTTP2
@testable import Messages
@testable import RPC

/// Makes the files of seeds/: good inputs of each target, small.
enum Seeds {
    static func write() throws {
        let recording = try Recording.make()
        try save(.server, "exchange", [UInt8](recording.fromClient.readableBytesView))
        try save(.client, "exchange", [UInt8](recording.fromServer.readableBytesView.prefix(2000)))
        try save(.server, "large", large(after: recording.fromClient, at: FrameScan.prefaceBytes))
        try save(.client, "large", large(after: recording.fromServer, at: 0))
        let messages: [UInt8] = [0, 0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0]
        for choice in [UInt8(0), 4, 8, 12, 16] { try save(.deframer, "plain-\(choice)", [choice] + messages) }
        try save(.deframer, "attachment", [17, 0x80, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7] + messages)
        try save(.deframer, "compressed", [18, 1, 0, 0, 0, 1, 9])
        // As large as the limit allows, among others who have the memory first; the target adds what is missing of it.
        let large: [UInt8] = [0, 0, 4, 0, 0, 1, 2, 3]
        let crowd = DeframerTarget.isCrowded | DeframerTarget.goesOn
        for choice in [UInt8(0), 4, 16] { try save(.deframer, "crowded-\(choice)", [choice | crowd] + large) }
        try save(.deframer, "crowded-attachment", [17 | crowd, 0x80, 0, 0, 0, 1, 0, 4, 0, 0, 9] + messages)
        let packed = try Payload(ByteBuffer(repeating: 7, count: 1000)).deflated(as: .gzip).message
        for choice in [UInt8(2), 2 | crowd] {
            let prefix: [UInt8] = [choice, 1, 0, 0, 0, UInt8(packed.readableBytes)]
            try save(.deframer, "gzip-\(choice)", prefix + packed.readableBytesView)
        }
        for (number, bytes) in encoded.enumerated() { try save(.messages, "type-\(number)", [UInt8(number)] + bytes) }
        for (name, bytes) in reflection { try save(.reflection, name, bytes) }
        try save(.messages, "timeout", [11] + Array("250m".utf8))
        try save(.messages, "status", [12] + Array("gr%C3%B6".utf8))
        for (number, bytes) in fused.enumerated() {
            try save(.messages, "fused-\(number)", [13 + UInt8(number)] + bytes)
        }
    }

    /// What comes before the first DATA frame, and in its place one that begins a message of 300,000 bytes. An odd number of
    /// bytes, which are read as from a socket.
    private static func large(after recording: ByteBuffer, at first: Int) -> [UInt8] {
        let bytes = [UInt8](recording.readableBytesView)
        var place = first
        while place + 9 < bytes.count, bytes[place + 3] != 0 {
            place += 9 + Int(bytes[place]) << 16 + Int(bytes[place + 1]) << 8 + Int(bytes[place + 2])
        }
        var seed = Array(bytes[..<place])
        seed += [0x04, 0x93, 0xe5, 0, 1] + bytes[(place + 5)..<(place + 9)]
        seed += [0, 0, 0x04, 0x93, 0xe0, 1, 2, 3]
        return seed.count % 2 == 1 ? seed : seed + [4]
    }

    /// Questions of each kind, and a file with one of everything that reflection looks at.
    private static var reflection: [String: [UInt8]] {
        let questions: [String: ByteBuffer] = [
            "file": .protobuf { $0.writeField(3, "grpc/health/v1/health.proto") },
            "symbol": .protobuf { $0.writeField(4, "grpc.health.v1.Health.Check") },
            "extension": .protobuf {
                $0.writeField(5) {
                    $0.writeField(1, "a.B"); $0.writeField(2, varint: 7)
                }
            },
            "extensions": .protobuf { $0.writeField(6, "grpc.health.v1.HealthCheckRequest") },
            "services": .protobuf { $0.writeField(7, "") },
        ]
        let set = ByteBuffer.protobuf { set in
            set.writeField(1) { $0.writeField(1, "b.proto") }
            set.writeField(1) { file in
                file.writeField(1, "a.proto")
                file.writeField(2, "a")
                file.writeField(3, "b.proto")
                file.writeField(4) { message in
                    message.writeField(1, "B")
                    message.writeField(3) { $0.writeField(1, "C") }
                    message.writeField(4) { $0.writeField(1, "D") }
                }
                file.writeField(5) { $0.writeField(1, "E") }
                file.writeField(6) { service in
                    service.writeField(1, "F")
                    service.writeField(2) { $0.writeField(1, "G") }
                }
                file.writeField(7) { field in
                    field.writeField(1, "h")
                    field.writeField(2, ".a.B")
                    field.writeField(3, varint: 7)
                }
            }
        }
        return questions.mapValues { [0] + $0.readableBytesView }.merging(["set": [1] + set.readableBytesView]) { $1 }
    }

    /// A call with both stages, and its answer.
    private static var fused: [[UInt8]] {
        let request = FusedRequest(
            frame: Frame(stream: "cam", sequence: 300, payload: .inline(ByteBuffer(bytes: [1, 2, 3]))),
            detectModel: "m", minConfidence: 0.5, classifyModel: "c", topK: 3, boxes: 64, boxConfidence: 0.25)
        var response = FusedResponse()
        response.classes = [Classification(classID: 3, label: "three", confidence: 0.5)]
        response.failures = [StageFailure(stage: "detect", code: 13, message: "why")]
        return [request.encode(), response.encode()].map { wire in
            [wire.message, wire.preamble, wire.pixels].flatMap { $0.map { [UInt8]($0.readableBytesView) } ?? [] }
        }
    }

    private static var encoded: [[UInt8]] {
        let frame = Frame(
            stream: "cam", sequence: 300, captureTime: 1_700_000_000, encoding: .jpeg, width: 640, height: 480,
            rowStride: 1920, payload: .inline(ByteBuffer(bytes: [1, 2, 3])))
        let classes = [Classification(classID: 3, label: "three", confidence: 0.5)]
        let box = Box(x: 1, y: 2, width: 30, height: 40)
        let detection = Detection(
            classID: 7, label: "seven", confidence: 0.75, box: box, trackID: 5, classes: classes)
        var analysis = AnalyzeResponse()
        (analysis.detections, analysis.classes, analysis.missing) = ([detection], classes, ["classify"])
        analysis.timing = [Timing("detect.infer", microseconds: 1234)]
        var detected = DetectResponse()
        (detected.detections, detected.timing) = ([detection], analysis.timing)
        var classified = ClassifyResponse()
        classified.regions = [[], classes]
        var node = NodeDescription()
        node.models = [ModelDescription()]
        var state = NodeState()
        state.description = node
        let pipeline = PipelineDescription(name: "p", stages: ["detect"], needsStream: true, text: "t")
        let all: [any WireCodable] = [
            AnalyzeRequest(frame: frame, pipeline: "p"), analysis, DetectRequest(frame: frame, model: "m"), detected,
            ClassifyRequest(frame: frame, model: "c", regions: [box], topK: 5), classified,
            ListPipelinesResponse(pipelines: [pipeline]), ListNodesResponse(nodes: [state]), node,
        ]
        let health = [HealthMessages.request(service: "vision"), HealthMessages.response(.serving)]
        return all.map { value in
            let wire = value.encode()
            return [wire.message, wire.preamble, wire.pixels].flatMap { $0.map { [UInt8]($0.readableBytesView) } ?? [] }
        } + health.map { [UInt8]($0.readableBytesView) }
    }

    private static func save(_ target: FuzzTarget, _ name: String, _ bytes: [UInt8]) throws {
        let folder = FuzzTarget.folder.appending(path: "seeds/\(target.rawValue)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: folder.appending(path: name))
    }
}
