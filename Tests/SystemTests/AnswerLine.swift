import Foundation
import Messages
import TestSupport

/// One line of `--json`, as README.md documents it.
struct AnswerLine: Decodable, Sendable {
    struct Class: Decodable, Sendable {
        var label: String
        var class_id: Int
        var confidence: Float

        var classification: Classification { Classification(classID: class_id, label: label, confidence: confidence) }
    }
    struct BoxLine: Decodable, Sendable { var x, y, width, height: Float }
    struct DetectionLine: Decodable, Sendable {
        var label: String
        var class_id: Int
        var confidence: Float
        var box: BoxLine
        var track_id: UInt64?
        var classes: [Class]?

        var detection: Detection {
            Detection(
                classID: class_id, label: label, confidence: confidence,
                box: Box(x: box.x, y: box.y, width: box.width, height: box.height), trackID: track_id,
                classes: (classes ?? []).map(\.classification))
        }
    }

    var source: String
    var stream: String?
    var sequence: UInt64
    var captured_at: String?
    var status: String
    var cause: String?
    var width: Int?
    var height: Int?
    var detections: [DetectionLine]?
    var classes: [Class]?
    var timing_ms: [String: Double]?

    var found: [Detection] { (detections ?? []).map(\.detection) }
    /// Of the whole picture.
    var named: [Classification] { (classes ?? []).map(\.classification) }

    static func all(_ result: Command.Result) throws -> [AnswerLine] {
        try result.lines.map { line in
            do {
                return try JSONDecoder().decode(AnswerLine.self, from: Data(line.utf8))
            } catch {
                throw Failure("not an answer: \(line.prefix(300)) (\(error))")
            }
        }
    }
}
