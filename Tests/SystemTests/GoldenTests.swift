import Foundation
import Logging
import Messages
import NIOCore
import NIOPosix
import RPC
import Services
import TestSupport
import Testing

/// Real models, real pictures, real processes: what plain OpenCV 4.6 says of them, the mesh says too.
@Suite(.serialized) struct GoldenTests {
    struct Reference: Decodable, Sendable {
        struct Picture: Decodable, Sendable {
            struct Found: Decodable, Sendable {
                var `class`: Int
                var label: String
                var score: Float
                /// x1, y1, x2, y2.
                var box: [Float]?
                var area: Box {
                    let b = box ?? [0, 0, 0, 0]
                    return Box(x: b[0], y: b[1], width: b[2] - b[0], height: b[3] - b[1])
                }
            }
            var picture: String
            var width: Int
            var height: Int
            var detections: [Found]?
            var top5: [Found]?
        }
        var model: String
        var conf: Float
        var pictures: [Picture]

        static func load(_ model: String) throws -> Reference {
            try JSONDecoder().decode(
                Reference.self, from: Data(contentsOf: Place.golden.appending(path: "\(model).json")))
        }
    }

    static let scoreTolerance: Float = 0.03
    static let leastOverlap: Float = 0.90

    private static func announceSkip() -> Bool {
        if !Place.hasSharedModels { print("SKIPPED: golden tests, there is no \(Place.models.path)") }
        return Place.hasSharedModels
    }

    /// Of what the mesh says and of what OpenCV said, as one.
    private static func expect(
        _ found: [AnswerLine.DetectionLine], _ wanted: Reference.Picture, least: Float, _ what: String
    ) {
        var left = found
        for expected in wanted.detections ?? [] {
            let match = left.indices.filter {
                left[$0].label == expected.label && left[$0].class_id == expected.class
                    && left[$0].area.iou(expected.area) >= leastOverlap
                    && abs(left[$0].confidence - expected.score) <= scoreTolerance
            }.max { left[$0].area.iou(expected.area) < left[$1].area.iou(expected.area) }
            if let match {
                left.remove(at: match)
            } else {
                #expect(
                    abs(expected.score - least) <= scoreTolerance,
                    "\(what) \(wanted.picture): \(expected.label) \(expected.score) is missing")
            }
        }
        for extra in left {
            #expect(
                abs(extra.confidence - least) <= scoreTolerance,
                "\(what) \(wanted.picture): extra \(extra.label) \(extra.confidence)")
        }
    }

    private static func expect(_ classes: [AnswerLine.Class]?, _ wanted: Reference.Picture, _ what: String) throws {
        let best = try #require(classes?.first)
        let expected = try #require(wanted.top5?.first)
        #expect(best.class_id == expected.class && best.label == expected.label, "\(what) \(wanted.picture)")
        #expect(abs(best.confidence - expected.score) <= scoreTolerance, "\(what) \(wanted.picture)")
    }

    /// Answers for all pictures of a reference.
    private static func answers(
        _ mesh: LocalMesh, _ pipeline: String, _ reference: Reference, _ extra: [String] = []
    ) async throws -> [(AnswerLine, Reference.Picture)] {
        let files = reference.pictures.map { Place.pictures.appending(path: $0.picture).path }
        let result = try await mesh.send(pipeline, files, extra)
        #expect(result.code == 0, "\(result.errors)")
        let answers = try AnswerLine.all(result)
        try #require(answers.count == reference.pictures.count)
        for (answer, wanted) in zip(answers, reference.pictures) {
            #expect(answer.source.hasSuffix(wanted.picture) && answer.status == "ok")
            #expect(answer.width == wanted.width && answer.height == wanted.height)
        }
        return Array(zip(answers, reference.pictures))
    }

    @Test(.enabled(if: announceSkip()), arguments: ["yolo-fastest-1.1-xl", "ultraface-RFB-320"])
    func detectorsFindWhatTheReferenceFinds(_ model: String) async throws {
        let reference = try Reference.load(model)
        let mesh = try await LocalMesh.up(classifiers: 0, detectModel: model, classifyModel: nil)
        let answers = try await LocalMesh.with(mesh) { mesh in try await Self.answers(mesh, "detect", reference) }
        for (answer, wanted) in answers {
            Self.expect(answer.detections ?? [], wanted, least: reference.conf, model)
        }
    }

    /// What a mesh is made of.
    struct Mesh: Sendable, CustomTestStringConvertible {
        var engine: String
        /// One node does both stages on one decoded picture.
        var isFused: Bool

        /// OpenVINO reads ONNX.
        var detector: String { engine == "openvino" ? "FastestDet" : "yolo-fastest-1.1" }
        var testDescription: String { "\(engine), \(isFused ? "fused" : "apart")" }

        static let all = ["opencv", "opencv+onednn", "openvino"].flatMap { engine in
            [false, true].map { Mesh(engine: engine, isFused: $0) }
        }

        func up() async throws -> LocalMesh {
            let count = isFused ? 0 : 1
            return try await LocalMesh.up(
                detectors: count, classifiers: count, detectModel: detector, classifyModel: "squeezenet-1.1",
                extra: ["--engine", engine] + (isFused ? ["--nodes", "1"] : []))
        }

        /// The engine is in this build, and its library here; said where it is not.
        func isHere() async throws -> Bool {
            let check = try await Command.run(["models", "check", "digits-detector", "--engine", engine])
            if check.code != 0 { print("SKIPPED: golden tests on \(engine): \(check.errors)") }
            return check.code == 0
        }
    }

    /// Each engine, each way through the mesh, and each way a picture comes to it.
    @Test(.enabled(if: announceSkip()), arguments: Mesh.all)
    func everyWayLeadsToWhatTheReferenceFinds(_ kind: Mesh) async throws {
        guard try await kind.isHere() else { return }
        let boxes = try Reference.load(kind.detector), classes = try Reference.load("squeezenet-1.1")
        try await LocalMesh.with(kind.up()) { mesh in
            for extra in [[], ["--stream"]] {
                let what = "\(kind.testDescription) \(extra)"
                for (answer, wanted) in try await Self.answers(mesh, "detect+classify", boxes, extra) {
                    Self.expect(answer.detections ?? [], wanted, least: boxes.conf, what)
                    let stages = Set((answer.timing_ms ?? [:]).keys)
                    #expect(stages.contains("node.decode") == kind.isFused, "\(what): \(stages)")
                }
                for (answer, wanted) in try await Self.answers(mesh, "detect+classify", classes, extra) {
                    try Self.expect(answer.classes, wanted, what)
                }
                for (answer, wanted) in try await Self.answers(mesh, "classify", classes, extra) {
                    try Self.expect(answer.classes, wanted, what)
                }
                for (answer, wanted) in try await Self.answers(mesh, "cascade", boxes, extra) {
                    Self.expect(answer.detections ?? [], wanted, least: boxes.conf, what)
                    #expect((answer.detections ?? []).allSatisfy { $0.classes?.isEmpty == false }, "\(what)")
                }
            }
            try await Self.aPictureMayBeInTheMessage(mesh, boxes, kind.testDescription)
        }
    }

    /// As clients of any gRPC library send it, and beside the message, as ours do.
    private static func aPictureMayBeInTheMessage(
        _ mesh: LocalMesh, _ reference: Reference, _ what: String
    ) async throws {
        let parts = mesh.coordinator.split(separator: ":")
        let connection = try await RPCConnection.connect(
            to: SocketAddress(ipAddress: String(parts[0]), port: try #require(Int(parts[1]))),
            configuration: ClientConfiguration(), group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test"))
        defer { connection.close() }
        let vision = VisionClient(connection)
        for wanted in reference.pictures {
            let bytes = ByteBuffer(bytes: try Data(contentsOf: Place.pictures.appending(path: wanted.picture)))
            for payload in [FramePayload.inline(bytes), .attached(bytes)] {
                let answer = try await vision.analyze(
                    AnalyzeRequest(frame: Frame(payload: payload), pipeline: "cascade"), deadline: .after(.seconds(60)))
                #expect(answer.status == .ok, "\(answer.cause)")
                let found = answer.detections.map {
                    AnswerLine.DetectionLine(
                        label: $0.label, class_id: $0.classID, confidence: $0.confidence,
                        box: .init(x: $0.box.x, y: $0.box.y, width: $0.box.width, height: $0.box.height))
                }
                expect(found, wanted, least: reference.conf, "\(what), in a message")
            }
        }
    }
}
