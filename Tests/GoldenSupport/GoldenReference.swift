public import Foundation
public import Messages

/// What plain OpenCV 4.6 says of some pictures with one of the real models.
public struct GoldenReference: Decodable, Sendable {
    struct Found: Decodable, Sendable {
        var `class`: Int
        var label: String
        var score: Float
        /// x1, y1, x2, y2.
        var box: [Float]?
    }

    public struct Picture: Decodable, Sendable {
        public var picture: String
        public var width: Int
        public var height: Int
        var detections: [Found]?
        var top5: [Found]?

        public var boxes: [Detection] {
            (detections ?? []).map { found in
                let b = found.box ?? [0, 0, 0, 0]
                return Detection(
                    classID: found.class, label: found.label, confidence: found.score,
                    box: Box(x: b[0], y: b[1], width: b[2] - b[0], height: b[3] - b[1]))
            }
        }

        /// Best first.
        public var classes: [Classification] {
            (top5 ?? []).map { Classification(classID: $0.class, label: $0.label, confidence: $0.score) }
        }
    }

    /// Detections that are less sure were left out.
    public var conf: Float
    public var pictures: [Picture]

    /// - Parameter folder: has a file for each model.
    public static func load(_ model: String, from folder: URL) throws -> GoldenReference {
        let file = folder.appending(path: "\(model).json")
        return try JSONDecoder().decode(GoldenReference.self, from: Data(contentsOf: file))
    }
}
