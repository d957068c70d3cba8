import Foundation
import GoldenSupport
import Messages
import RPC
import Services
import TestSupport
import Testing
import Vision

/// Every model and every form of a picture, through a node that has all models.
extension GoldenTests {
    /// A model, and the picture that it is asked about; both sides are even, so that each form has all of it.
    private struct Question: Sendable {
        var model: String
        var picture: String
        var isONNX = true
        var pipeline: String { model == GoldenTests.classifier ? "classify" : "detect" }

        static let all = [
            Question(model: "yolo-fastest-1.1", picture: "dog.jpg", isONNX: false),
            Question(model: "yolo-fastest-1.1-xl", picture: "fd0.jpg", isONNX: false),
            Question(model: "FastestDet", picture: "person.jpg"),
            Question(model: "ultraface-RFB-320", picture: "face2.jpg"),
            Question(model: GoldenTests.classifier, picture: "fruits.jpg"),
        ]
    }

    /// Of all processes that run models.
    private static let environment = ["FRAMEMESH_MODELS": Place.models.path]

    private static func node(_ engine: String, _ models: [String], _ extra: [String] = []) -> [String] {
        ["node", "--listen", "127.0.0.1:0", "--workers", "1", "--engine", engine]
            + ["--model", models.joined(separator: ",")] + extra
    }

    @Test(.enabled(if: announceSkip()), arguments: engines)
    func everyModelFindsTheSameInEveryForm(_ engine: String) async throws {
        guard try await Self.isHere(engine) else { return }
        let questions = Question.all.filter { $0.isONNX || engine != "openvino" }
        let arguments = Self.node(engine, questions.map(\.model))
        try await Command.serving(arguments, environment: Self.environment) { _, node in
            for question in questions {
                // It names one model for all frames, and its nodes have it among others.
                let coordinator = [
                    "coordinator", "--listen", "127.0.0.1:0", "--nodes", node,
                    "--\(question.pipeline)-model", question.model,
                ]
                try await Command.serving(coordinator) { _, address in
                    try await Self.ask(question, at: address, "\(question.model) on \(engine)")
                }
            }
        }
    }

    private static func ask(_ question: Question, at coordinator: String, _ what: String) async throws {
        let reference = try Self.reference(question.model)
        let wanted = try #require(reference.pictures.first(where: { $0.picture == question.picture }))
        let frames = try Self.frames(question.picture)
        let connection = try await connect(coordinator)
        defer { connection.close() }
        let ways = [
            ("alone", try await alone(frames, question.pipeline, connection)),
            ("on a stream", try await streamed(frames, question.pipeline, connection)),
        ]
        for (way, answers) in ways {
            try #require(answers.count == frames.count, "\(what) \(way)")
            for (answer, frame) in zip(answers, frames) {
                let what = "\(what), \(frame.encoding) \(way)"
                #expect(answer.sequence == frame.sequence, "\(what)")
                #expect(answer.status == .ok, "\(what): \(answer.cause)")
                #expect(answer.width == wanted.width && answer.height == wanted.height, "\(what)")
                if question.pipeline == "detect" {
                    expect(answer.detections, wanted, least: reference.conf, what, .boxes(frame.encoding))
                } else {
                    expect(answer.classes, wanted, what, .classes(frame.encoding))
                }
            }
        }
    }

    /// The picture in every form.
    private static func frames(_ name: String) throws -> [Frame] {
        let jpeg = Frame(encoding: .jpeg, payload: .inline(try picture(name)))
        let image = try Image(decoding: jpeg)
        return try PictureForm.all.enumerated().map { index, form in
            var frame = form == .jpeg ? jpeg : try PictureForm.frame(image, as: form)
            frame.stream = "forms"
            frame.sequence = UInt64(index)
            return frame
        }
    }

    /// Each in a call of its own, in the message.
    private static func alone(
        _ frames: [Frame], _ pipeline: String, _ connection: RPCConnection
    ) async throws -> [AnalyzeResponse] {
        let vision = VisionClient(connection)
        var answers: [AnalyzeResponse] = []
        for frame in frames {
            let request = AnalyzeRequest(frame: frame, pipeline: pipeline)
            answers.append(try await vision.analyze(request, deadline: .after(patience)))
        }
        return answers
    }

    /// All on one stream, beside the messages.
    private static func streamed(
        _ frames: [Frame], _ pipeline: String, _ connection: RPCConnection
    ) async throws -> [AnalyzeResponse] {
        let requests = frames.map { frame in
            var frame = frame
            frame.payload = .attached(frame.payload.bytes)
            return AnalyzeRequest(frame: frame, pipeline: pipeline)
        }
        let stream = AnalyzeStreamClient(
            try await connection.open(MethodPath.analyzeStream, options: CallOptions(deadline: .after(patience))))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for request in requests { try await stream.send(request) }
                stream.finishSending()
            }
            var answers: [AnalyzeResponse] = []
            for try await answer in stream.answers { answers.append(answer) }
            return answers
        }
    }

    /// A batch that is full runs at once; frames that came one by one would wait for others for longer than the test.
    @Test(.enabled(if: announceSkip()), arguments: engines)
    func aBatchOfANodeFindsTheSame(_ engine: String) async throws {
        guard try await Self.isHere(engine) else { return }
        let models = [Self.detector(on: engine), Self.classifier]
        let size = 4, delay = 10_000_000
        let batches = ["--max-batch-size", "\(size)", "--max-queue-delay-microseconds", "\(delay)"]
        let arguments = Self.node(engine, models, batches)
        try await Command.serving(arguments, environment: Self.environment) { _, address in
            let connection = try await Self.connect(address)
            defer { connection.close() }
            let node = NodeClient(connection)
            let described = try await node.describe(deadline: .after(Self.patience))
            #expect(described.models.map(\.maxBatchSize) == [size, size], "both take batches")
            let start = ContinuousClock.now
            let boxes = try Self.reference(models[0])
            let found = try await Self.atOnce(boxes.pictures.prefix(size)) { frame in
                try await node.detect(DetectRequest(frame: frame), deadline: .after(Self.patience))
            }
            for (answer, wanted) in zip(found, boxes.pictures) {
                Self.expect(answer.detections, wanted, least: boxes.conf, "a batch on \(engine)")
            }
            let classes = try Self.reference(models[1])
            let named = try await Self.atOnce(classes.pictures.prefix(size)) { frame in
                try await node.classify(ClassifyRequest(frame: frame), deadline: .after(Self.patience))
            }
            for (answer, wanted) in zip(named, classes.pictures) {
                Self.expect(answer.regions.first ?? [], wanted, "a batch on \(engine)")
            }
            #expect(found.count == size && named.count == size)
            #expect(ContinuousClock.now - start < .microseconds(delay), "no frame has waited for more than there were")
        }
    }

    /// The answers to all pictures, which are on their way together.
    private static func atOnce<Answer: Sendable>(
        _ pictures: some Sequence<GoldenReference.Picture>, _ call: @Sendable @escaping (Frame) async throws -> Answer
    ) async throws -> [Answer] {
        let frames = try pictures.map { Frame(payload: .inline(try picture($0.picture))) }
        return try await withThrowingTaskGroup(of: (Int, Answer).self) { tasks in
            for (index, frame) in frames.enumerated() {
                tasks.addTask { (index, try await call(frame)) }
            }
            var answers: [Int: Answer] = [:]
            for try await (index, answer) in tasks { answers[index] = answer }
            return frames.indices.compactMap { answers[$0] }
        }
    }
}
