/// What a gateway can be asked for (`/v1/pipelines`).
struct GatewayPipelines: Decodable {
    struct Pipeline: Decodable {
        var name: String
        var needsStream: Bool
        /// Stages without a node.
        var missing: [String]
        /// Stages that a frame fails without; nil: a gateway that does not say.
        var required: [String]?
        /// What becomes of a frame at this moment, as `PipelineLine.Now` has it; nil: a gateway that does not say.
        var now: String?
        /// Stages that its coordinators were told of no nodes for; nil: an older gateway, which does not say.
        var unoffered: [String]?

        enum CodingKeys: String, CodingKey {
            case name, missing, required, now, unoffered
            case needsStream = "needs_stream"
        }

        /// Of one that fails now: the stages that it fails for, as `PipelineLine` has them.
        var failingStages: [String] {
            let needed = missing.filter { required?.contains($0) == true }
            return needed.isEmpty ? missing : needed
        }
    }
    var pipelines: [Pipeline]
}
