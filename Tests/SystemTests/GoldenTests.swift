import Foundation
import GoldenSupport
import Logging
import Messages
import NIOCore
import NIOPosix
import RPC
import Services
import TestSupport
import Testing
import Vision

/// Real models, real pictures, real processes: what plain OpenCV 4.6 says of them, the mesh says too.
@Suite(.serialized) struct GoldenTests {
    static let classifier = "squeezenet-1.1"
    static let engines = ["opencv", "opencv+onednn", "openvino"]
    /// Of one call, or one stream.
    static let patience = Duration.seconds(60)

    static func announceSkip() -> Bool {
        if !Place.hasSharedModels { print("SKIPPED: golden tests, there is no \(Place.models.path)") }
        return Place.hasSharedModels
    }

    /// The engine is in this build, and its library here; said where it is not.
    static func isHere(_ engine: String) async throws -> Bool {
        let check = try await Command.run(["models", "check", "digits-detector", "--engine", engine])
        if check.code != 0 { print("SKIPPED: golden tests on \(engine): \(check.errors)") }
        return check.code == 0
    }

    /// That runs on an engine: OpenVINO reads ONNX.
    static func detector(on engine: String) -> String { engine == "openvino" ? "FastestDet" : "yolo-fastest-1.1" }

    static func reference(_ model: String) throws -> GoldenReference {
        try GoldenReference.load(model, from: Place.golden)
    }

    static func picture(_ name: String) throws -> ByteBuffer {
        ByteBuffer(bytes: try Data(contentsOf: Place.pictures.appending(path: name)))
    }

    static func connect(_ address: String) async throws -> RPCConnection {
        let parts = address.split(separator: ":")
        return try await RPCConnection.connect(
            to: SocketAddress(ipAddress: String(parts[0]), port: try #require(Int(parts[1]))),
            configuration: ClientConfiguration(), group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test"))
    }

    /// All of the reference's boxes and no others.
    static func expect(
        _ found: [Detection], _ wanted: GoldenReference.Picture, least: Float, _ what: String,
        _ tolerance: GoldenTolerance = .usual
    ) {
        let objections = tolerance.objections(to: found, wanted: wanted.boxes, least: least)
        #expect(objections == [], "\(what) \(wanted.picture)")
    }

    static func expect(
        _ classes: [Classification], _ wanted: GoldenReference.Picture, _ what: String,
        _ tolerance: GoldenTolerance = .usual
    ) {
        #expect(tolerance.objections(to: classes, wanted: wanted.classes) == [], "\(what) \(wanted.picture)")
    }

    /// Each box has these classes, in the order of the boxes.
    private static func expect(classesOf found: [Detection], _ wanted: [[Classification]], _ what: String) {
        #expect(found.count == wanted.count, "\(what)")
        for (one, classes) in zip(found, wanted) {
            let objections = GoldenTolerance.usual.objections(to: one.classes, wanted: classes)
            #expect(objections == [], "\(what): \(one.label) at \(one.box)")
        }
    }

    /// Answers for all pictures of a reference.
    private static func answers(
        _ mesh: LocalMesh, _ pipeline: String, _ reference: GoldenReference, _ extra: [String] = []
    ) async throws -> [(AnswerLine, GoldenReference.Picture)] {
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
        let reference = try Self.reference(model)
        let mesh = try await LocalMesh.up(classifiers: 0, detectModel: model, classifyModel: nil)
        let answers = try await LocalMesh.with(mesh) { mesh in try await Self.answers(mesh, "detect", reference) }
        for (answer, wanted) in answers {
            Self.expect(answer.found, wanted, least: reference.conf, model)
        }
    }

    /// What a mesh is made of.
    struct Mesh: Sendable, CustomTestStringConvertible {
        var engine: String
        /// One node does both stages on one decoded picture.
        var isFused: Bool

        var testDescription: String { "\(engine), \(isFused ? "fused" : "apart")" }

        static let all = GoldenTests.engines.flatMap { engine in
            [false, true].map { Mesh(engine: engine, isFused: $0) }
        }

        func up() async throws -> LocalMesh {
            let count = isFused ? 0 : 1
            return try await LocalMesh.up(
                detectors: count, classifiers: count, detectModel: GoldenTests.detector(on: engine),
                classifyModel: GoldenTests.classifier, extra: ["--engine", engine] + (isFused ? ["--nodes", "1"] : []))
        }
    }

    /// Each engine, each way through the mesh, and each way a picture comes to it.
    @Test(.enabled(if: announceSkip()), arguments: Mesh.all)
    func everyWayLeadsToWhatTheReferenceFinds(_ kind: Mesh) async throws {
        guard try await Self.isHere(kind.engine) else { return }
        let boxes = try Self.reference(Self.detector(on: kind.engine)), classes = try Self.reference(Self.classifier)
        try await LocalMesh.with(kind.up()) { mesh in
            let classesOfBoxes = try await Self.aPictureMayBeInTheMessage(mesh, boxes, kind.testDescription)
            for extra in [[], ["--stream"]] {
                let what = "\(kind.testDescription) \(extra)"
                for (answer, wanted) in try await Self.answers(mesh, "detect+classify", boxes, extra) {
                    Self.expect(answer.found, wanted, least: boxes.conf, what)
                    let stages = Set((answer.timing_ms ?? [:]).keys)
                    #expect(stages.contains("node.decode") == kind.isFused, "\(what): \(stages)")
                }
                for (answer, wanted) in try await Self.answers(mesh, "detect+classify", classes, extra) {
                    Self.expect(answer.named, wanted, what)
                }
                for (answer, wanted) in try await Self.answers(mesh, "classify", classes, extra) {
                    Self.expect(answer.named, wanted, what)
                }
                let cascade = try await Self.answers(mesh, "cascade", boxes, extra)
                for ((answer, wanted), classes) in zip(cascade, classesOfBoxes) {
                    Self.expect(answer.found, wanted, least: boxes.conf, what)
                    Self.expect(classesOf: answer.found, classes, "\(what) \(wanted.picture)")
                }
            }
        }
    }

    /// As clients of any gRPC library send it, and beside the message, as ours do.
    /// - Returns: for each picture the classes of its boxes, as the classifier names them here. Lines of JSON have boxes of
    ///   rounded pixels, which cut out something else now and then.
    private static func aPictureMayBeInTheMessage(
        _ mesh: LocalMesh, _ reference: GoldenReference, _ what: String
    ) async throws -> [[[Classification]]] {
        let connection = try await connect(mesh.coordinator)
        defer { connection.close() }
        let vision = VisionClient(connection)
        let model = try classifierHere()
        var all: [[[Classification]]] = []
        for wanted in reference.pictures {
            let bytes = try picture(wanted.picture)
            var classes: [[Classification]] = []
            for payload in [FramePayload.inline(bytes), .attached(bytes)] {
                let answer = try await vision.analyze(
                    AnalyzeRequest(frame: Frame(payload: payload), pipeline: "cascade"), deadline: .after(patience))
                #expect(answer.status == .ok, "\(answer.cause)")
                expect(answer.detections, wanted, least: reference.conf, "\(what), in a message")
                if classes.isEmpty {
                    let image = try Image(decoding: Frame(payload: .inline(bytes)))
                    let inputs = answer.detections.map { ModelInput(image, region: $0.box) }
                    classes = try model.classify(inputs, topK: inputs.map { _ in classesOfABox }).found
                }
                expect(classesOf: answer.detections, classes, "\(what), in a message \(wanted.picture)")
            }
            all.append(classes)
        }
        return all
    }

    /// That the pipeline `cascade` names.
    private static let classesOfABox = 3

    /// The classifier in this process, on OpenCV's own layers.
    private static func classifierHere() throws -> Model {
        let bundled = Place.root.appending(path: "Sources/framemesh/Resources/models").path
        let store = try ModelStore(bundled: bundled, folders: [Place.models.path], pulled: "/nonexistent")
        return try Model(store.manifest(named: classifier), store: store, engine: .openCV)
    }
}
