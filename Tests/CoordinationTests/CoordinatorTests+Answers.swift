import Messages
import NIOCore
import RPC
import Services
import TestSupport
import Testing

@testable import Coordination

/// Answers of nodes that are wrong, cannot be read, or are as large as may be.
extension CoordinatorTests {
    @Test(arguments: [1, 3])
    func aClassifierWithMoreOrFewerRegionsThanItWasAskedForHasFailed(_ regions: Int) async throws {
        let detector = ScriptedNode(onDetect: { .found([.digit(at: 5), .digit(at: 40)], in: $0.frame) })
        let classifier = ScriptedNode(onClassify: { request in
            var response = ClassifyResponse()
            response.sequence = request.frame.sequence
            let classes = [Classification(classID: 1, label: "one", confidence: 0.9)]
            response.regions = Array(repeating: classes, count: regions)
            return response
        })
        try await TestMesh.with(detectors: [detector], classifiers: [classifier]) { mesh in
            let answer = try await mesh.analyze("cascade")
            #expect(answer.status == .partial && answer.missing == ["classify"])
            #expect(answer.code == StatusCode.internal.rawValue)
            #expect(answer.cause == "classify is missing: a node answered \(regions) regions when asked for 2")
            #expect(answer.detections.count == 2 && answer.detections.allSatisfy { $0.classes.isEmpty })
        }
    }

    @Test func anAnswerToAnotherFrameIsNotTaken() async throws {
        let confused = ScriptedNode(onDetect: { request in
            var response = DetectResponse.found([], in: request.frame)
            response.sequence += 1
            return response
        })
        try await TestMesh.with(detectors: [confused]) { mesh in
            let (status, message) = await code { try await mesh.analyze("detect") }
            #expect(status == .internal && message.contains("answered frame 8"))
        }
    }

    @Test func anAnswerThatCannotBeReadIsTheNodesFault() async throws {
        let detector = ScriptedNode(onDetect: { request in
            .found((0..<20).map { Detection.digit(at: Float($0)) }, in: request.frame)
        })
        // More fields than a message may have.
        let classifier = ScriptedNode(onClassify: { request in
            let classes = Array(repeating: Classification(classID: 1, label: "one", confidence: 0.9), count: 1000)
            var response = ClassifyResponse()
            response.sequence = request.frame.sequence
            response.regions = request.regions.map { _ in classes }
            return response
        })
        let log = LogRecorder()
        try await TestMesh.with(detectors: [detector], classifiers: [classifier], logger: log.logger) { mesh in
            let answer = try await mesh.analyze("cascade")
            #expect(answer.status == .partial && answer.missing == ["classify"] && answer.detections.count == 20)
            #expect(answer.code == StatusCode.internal.rawValue)
            #expect(answer.cause.contains("\(mesh.nodes[1].target)'s answer cannot be read"), "\(answer.cause)")
            let lines = log.lines.filter { $0.metadata["reason"] == "protobuf" }
            #expect(lines.map { $0.metadata["method"] } == ["framemesh.v1.Classifier/Classify"])
            #expect(lines.map { $0.metadata["peer"] } == [mesh.nodes[1].target])
        }
    }

    @Test func anAnswerThatIsTooLargeIsNotAskedForAgain() async throws {
        let calls = Counter()
        let label = String(repeating: "x", count: 12 << 10)
        let detector = ScriptedNode(onDetect: { request in
            let box = Detection(classID: 0, label: label, confidence: 0.8, box: Box(x: 1, y: 1, width: 9, height: 9))
            return .found(Array(repeating: box, count: 400), in: request.frame)
        })
        try await TestMesh.with(detectors: [calls.node(detector)]) { mesh in
            let answers = try await mesh.stream("detect", count: 1)
            #expect(answers.map(\.code) == [StatusCode.internal.rawValue])
            #expect(answers.first?.cause.contains("answer cannot be read") == true, "\(answers.first?.cause ?? "")")
            #expect(calls.count == 1)
        }
    }

    /// As many boxes as a model finds, with all that is known of them.
    @Test func theLargestAnswerCanBeRead() throws {
        let classes = Array(
            repeating: Classification(classID: 1, label: "one", confidence: 0.9),
            count: Classification.maxPerAnswer / 1000)
        let detection = Detection(
            classID: 1, label: "digit", confidence: 0.8, box: Box(x: 1, y: 1, width: 9, height: 9), trackID: 1,
            classes: classes)
        var answer = AnalyzeResponse.answering(Frame(stream: "s", sequence: 1, payload: .attached(ByteBuffer())))
        answer.detections = Array(repeating: detection, count: 1000)
        answer.timing = Array(repeating: Timing("detect.infer", microseconds: 1), count: 20)
        #expect(try AnalyzeResponse.decode(Payload(answer)).detections.count == 1000)
    }
}
