import Areas
import Foundation
import HTTPTypes
import Hummingbird
import Jobs

/// What is asked of an uploaded video.
struct VideoWish {
    static let names = ["pipeline", "min_confidence", "name", "annotate", "areas", "webhooks"]
    /// Scalars: what looks like one character can be made of thousands.
    static let maxName = 255
    static let noAreas = #"{"lines":[],"normalized":false,"zones":[]}"#

    var pipeline: String
    /// 0: the model's own.
    var minConfidence: Double
    var name: String
    var annotate: Bool
    /// Valid ones, of a picture of any size; nil: none.
    var areas: AreaSet?
    var webhooks: [Webhook]

    /// - Throws: `Problem`: 400; 403 for webhooks that may not be called.
    init(_ request: Request, _ rules: StreamRules) throws {
        let query = try Query(request, knowing: Self.names)
        pipeline = query.text("pipeline") ?? AnalyzeOptions.defaultPipeline
        minConfidence = try query.number("min_confidence", in: 0...1) ?? 0
        annotate = try query.flag("annotate") ?? false
        name = query.text("name") ?? ""
        guard name.unicodeScalars.count <= Self.maxName else {
            throw Problem(.badRequest, "a name has at most \(Self.maxName) characters", field: "name")
        }
        guard name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            throw Problem(.badRequest, "a name has no control characters", field: "name")
        }
        areas = try query.text("areas").map { try JSONDocument($0, in: "areas").areas(rules.areas) }
        webhooks = try query.text("webhooks").map { try Self.webhooks($0, rules) } ?? []
    }

    var request: Job.Request {
        Job.Request(
            pipeline: pipeline, minConfidence: minConfidence, annotate: annotate,
            areas: areas.map(Self.stored) ?? "")
    }

    private static func webhooks(_ text: String, _ rules: StreamRules) throws -> [Webhook] {
        let hooks = try JSONDocument(text, in: "webhooks").value([StreamRequest.Hook].self)
        return try StreamSpecification.webhooks(hooks, rules, of: Webhook.Topic.ofVideos)
    }

    /// Areas as a job keeps them.
    static func stored(_ areas: AreaSet) -> String { String(decoding: areas.json, as: UTF8.self) }
}
