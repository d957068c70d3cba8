import Foundation
import Messages
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

    @Test(
        .enabled(if: announceSkip()),
        arguments: ["yolo-fastest-1.1", "yolo-fastest-1.1-xl", "FastestDet", "ultraface-RFB-320"])
    func detectorsFindWhatTheReferenceFinds(_ model: String) async throws {
        let reference = try Reference.load(model)
        let mesh = try await LocalMesh.up(classifiers: 0, detectModel: model, classifyModel: nil)
        let answers = try await LocalMesh.with(mesh) { mesh in
            let result = try await mesh.send(
                "detect", reference.pictures.map { Place.pictures.appending(path: $0.picture).path })
            #expect(result.code == 0, "\(result.errors)")
            return try AnswerLine.all(result)
        }
        try #require(answers.count == reference.pictures.count)
        for (answer, wanted) in zip(answers, reference.pictures) {
            #expect(answer.source.hasSuffix(wanted.picture) && answer.status == "ok")
            #expect(answer.width == wanted.width && answer.height == wanted.height)
            var left = answer.detections ?? []
            for expected in wanted.detections ?? [] {
                let match = left.indices.filter {
                    left[$0].label == expected.label && left[$0].class_id == expected.class
                        && left[$0].area.iou(expected.area) >= Self.leastOverlap
                        && abs(left[$0].confidence - expected.score) <= Self.scoreTolerance
                }.max { left[$0].area.iou(expected.area) < left[$1].area.iou(expected.area) }
                if let match {
                    left.remove(at: match)
                } else {
                    #expect(
                        abs(expected.score - reference.conf) <= Self.scoreTolerance,
                        "\(model) \(wanted.picture): \(expected.label) \(expected.score) is missing")
                }
            }
            for extra in left {
                #expect(
                    abs(extra.confidence - reference.conf) <= Self.scoreTolerance,
                    "\(model) \(wanted.picture): extra \(extra.label) \(extra.confidence)")
            }
        }
    }

    @Test(.enabled(if: announceSkip()), arguments: ["classify", "detect+classify"])
    func theClassifierNamesWhatTheReferenceNames(_ pipeline: String) async throws {
        let reference = try Reference.load("squeezenet-1.1")
        let mesh = try await LocalMesh.up(detectModel: "yolo-fastest-1.1", classifyModel: "squeezenet-1.1")
        let answers = try await LocalMesh.with(mesh) { mesh in
            let result = try await mesh.send(
                pipeline, reference.pictures.map { Place.pictures.appending(path: $0.picture).path })
            #expect(result.code == 0, "\(result.errors)")
            return try AnswerLine.all(result)
        }
        try #require(answers.count == reference.pictures.count)
        for (answer, wanted) in zip(answers, reference.pictures) {
            let best = try #require(answer.classes?.first)
            let expected = try #require(wanted.top5?.first)
            #expect(best.class_id == expected.class, "\(wanted.picture)")
            #expect(best.label == expected.label)
            #expect(abs(best.confidence - expected.score) <= Self.scoreTolerance, "\(wanted.picture)")
            #expect((answer.detections != nil) == (pipeline == "detect+classify"))
        }
    }
}
