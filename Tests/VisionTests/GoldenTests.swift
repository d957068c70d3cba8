import Foundation
import Messages
import Testing

@testable import Vision

/// What plain OpenCV 4.6 finds with the real models, `Model` finds too, on every engine.
@Suite struct GoldenTests {
    struct Reference: Decodable {
        struct Found: Decodable {
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
        struct Picture: Decodable {
            var picture: String
            var width: Int
            var height: Int
            var detections: [Found]?
            var top5: [Found]?
        }
        var conf: Float
        var pictures: [Picture]

        static func load(_ model: String) throws -> Reference {
            let url = try #require(Place.shared).appending(path: "golden/\(model).json")
            return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
        }
    }

    static let scoreTolerance: Float = 0.03
    static let leastOverlap: Float = 0.90

    /// One of `found`'s indices for `wanted`, where there is one.
    private static func match(_ wanted: Reference.Found, in found: [Detection]) -> Int? {
        found.indices.filter {
            found[$0].classID == wanted.class && found[$0].label == wanted.label
                && abs(found[$0].confidence - wanted.score) <= scoreTolerance
                && found[$0].box.iou(wanted.area) >= leastOverlap
        }.max { found[$0].box.iou(wanted.area) < found[$1].box.iou(wanted.area) }
    }

    @Test(
        .enabled(if: Place.announceSkip("golden detections")),
        arguments: ["yolo-fastest-1.1", "yolo-fastest-1.1-xl", "FastestDet", "ultraface-RFB-320"], Engine.available)
    func detectorsFindWhatTheReferenceFinds(_ name: String, _ engine: Engine) throws {
        let reference = try Reference.load(name)
        let store = try Place.store()
        let manifest = try store.manifest(named: name)
        if engine == .openVINO && manifest.network == .darknet {
            #expect {
                try Model(manifest, store: store, engine: engine)
            } throws: {
                "\($0)" == "model \(name): the engine openvino reads ONNX, and the network is Darknet's"
            }
            return
        }
        let model = try Model(manifest, store: store, engine: engine)
        for wanted in reference.pictures {
            let image = try Place.picture(wanted.picture)
            #expect(image.width == wanted.width && image.height == wanted.height)
            var left = try model.detect([ModelInput(image)], minConfidence: [0]).found[0]
            for expected in wanted.detections ?? [] {
                if let index = Self.match(expected, in: left) {
                    left.remove(at: index)
                } else {
                    #expect(
                        abs(expected.score - reference.conf) <= Self.scoreTolerance,
                        "\(name) \(wanted.picture): \(expected.label) \(expected.score) is missing")
                }
            }
            for extra in left {
                #expect(
                    abs(extra.confidence - reference.conf) <= Self.scoreTolerance,
                    "\(name) \(wanted.picture): extra \(extra.label) \(extra.confidence)")
            }
        }
    }

    @Test(.enabled(if: Place.announceSkip("golden classes")), arguments: Engine.available)
    func theClassifierNamesWhatTheReferenceNames(_ engine: Engine) throws {
        let reference = try Reference.load("squeezenet-1.1")
        let store = try Place.store()
        let model = try Model(store.manifest(named: "squeezenet-1.1"), store: store, engine: engine)
        for wanted in reference.pictures {
            let classes = try model.classify([ModelInput(Place.picture(wanted.picture))], topK: [0]).found[0]
            let expected = try #require(wanted.top5)
            #expect(classes.count == expected.count)
            #expect(classes.first?.label == expected.first?.label, "\(wanted.picture)")
            for (found, reference) in zip(classes, expected) {
                #expect(abs(found.confidence - reference.score) <= Self.scoreTolerance, "\(wanted.picture)")
            }
        }
    }
}
