import Areas

/// What somebody who wants a stream writes, as it is written.
struct StreamRequest: Decodable {
    struct Source: Decodable {
        var url: String?
        var file: String?
        var loop: Bool?
        var push: Bool?

        private enum CodingKeys: String, CodingKey, CaseIterable { case url, file, loop, push }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.fields(knowing: CodingKeys.self)
            url = try fields.decodeIfPresent(String.self, forKey: .url)
            file = try fields.decodeIfPresent(String.self, forKey: .file)
            loop = try fields.decodeIfPresent(Bool.self, forKey: .loop)
            push = try fields.decodeIfPresent(Bool.self, forKey: .push)
        }
    }

    struct Hook: Decodable {
        var url: String
        var events: [String]?

        private enum CodingKeys: String, CodingKey, CaseIterable { case url, events }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.fields(knowing: CodingKeys.self)
            url = try fields.decode(String.self, forKey: .url)
            events = try fields.decodeIfPresent([String].self, forKey: .events)
        }
    }

    var name: String?
    var source: Source
    var pipeline: String?
    var policy: String?
    var minConfidence: Double?
    var maxFPS: Double?
    var deadlineMS: Int?
    var areas: AreaSet?
    var webhooks: [Hook]?

    /// What it is named, or what pictures get that name none.
    var pipelineName: String { pipeline ?? AnalyzeOptions.defaultPipeline }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case name, source, pipeline, policy
        case minConfidence = "min_confidence"
        case maxFPS = "max_fps"
        case deadlineMS = "deadline_ms"
        case areas, webhooks
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.fields(knowing: CodingKeys.self)
        name = try fields.decodeIfPresent(String.self, forKey: .name)
        source = try fields.decode(Source.self, forKey: .source)
        pipeline = try fields.decodeIfPresent(String.self, forKey: .pipeline)
        policy = try fields.decodeIfPresent(String.self, forKey: .policy)
        minConfidence = try fields.decodeIfPresent(Double.self, forKey: .minConfidence)
        maxFPS = try fields.decodeIfPresent(Double.self, forKey: .maxFPS)
        deadlineMS = try fields.decodeIfPresent(Int.self, forKey: .deadlineMS)
        areas = try fields.decodeIfPresent(AreaSet.self, forKey: .areas)
        webhooks = try fields.decodeIfPresent([Hook].self, forKey: .webhooks)
    }
}
