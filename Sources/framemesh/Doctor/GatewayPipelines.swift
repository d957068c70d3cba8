/// What a gateway can be asked for (`/v1/pipelines`).
struct GatewayPipelines: Decodable {
    struct Pipeline: Decodable {
        var name: String
        var needsStream: Bool
        /// Stages without a node.
        var missing: [String]
        /// Stages that its coordinators were told of no nodes for; nil: an older gateway, which does not say.
        var unoffered: [String]?

        enum CodingKeys: String, CodingKey {
            case name, missing, unoffered
            case needsStream = "needs_stream"
        }
    }
    var pipelines: [Pipeline]
}
