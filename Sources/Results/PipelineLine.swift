package import Messages

/// A pipeline as a user of a mesh sees it: what it is made of, and what becomes of a frame with the nodes of this moment.
package struct PipelineLine: Sendable {
    /// What becomes of a frame.
    package enum Now: String, Sendable {
        case ready
        /// Without the stages that are missing.
        case partial
        case fails
    }

    package let pipeline: PipelineDescription
    /// Of the stages that have one, in their order; more than one where nodes have different ones.
    package let models: [String]
    /// Stages without a node.
    package let missing: [String]

    /// Roles of the nodes that do a stage's work, and no other's.
    package static let roles = ["detect": "detector", "classify": "classifier"]
    /// The role of those that do all of it.
    package static let allRounder = "node"
    private static let tasks = ["detect": "detection", "classify": "classification"]
    /// A node in one of these states is called, if there is no better one.
    private static let callable: Set<String> = ["ready", "ejected"]

    package init(_ pipeline: PipelineDescription, _ nodes: [NodeState]) {
        self.pipeline = pipeline
        var models: [String] = []
        var missing: [String] = []
        for stage in pipeline.stages {
            guard let role = Self.roles[stage] else { continue }
            let able = nodes.filter { Self.does($0, role) && Self.callable.contains($0.state) }
            if able.isEmpty { missing.append(stage) }
            let asked = stage == "detect" ? pipeline.detectModel : pipeline.classifyModel
            let own = asked.isEmpty ? able.compactMap { Self.firstModel(of: $0, for: stage)?.name } : [asked]
            for model in own where !models.contains(model) { models.append(model) }
        }
        self.models = models
        self.missing = missing
    }

    /// - Parameter role: that of a stage.
    package static func does(_ node: NodeState, _ role: String) -> Bool { [role, allRounder].contains(node.role) }

    /// Some of the nodes do this stage, once they are ready.
    package static func isKnown(_ stage: String, of nodes: [NodeState]) -> Bool {
        roles[stage].map { role in nodes.contains { does($0, role) } } ?? false
    }

    private static func firstModel(of node: NodeState, for stage: String) -> ModelDescription? {
        let models = node.description?.models
        return node.role == allRounder ? models?.first { $0.task == tasks[stage] } : models?.first
    }

    /// Those of nodes without which a frame is partial.
    package var optional: [String] {
        pipeline.stages.filter { Self.roles[$0] != nil && !pipeline.required.contains($0) }
    }

    package var now: Now {
        if missing.isEmpty { return .ready }
        let ofNodes = pipeline.stages.filter { Self.roles[$0] != nil }
        return missing.contains(where: pipeline.required.contains) || missing == ofNodes ? .fails : .partial
    }

    /// Stages without a node that its frames fail without; none: they do not fail.
    package var failingStages: [String] {
        guard now == .fails else { return [] }
        let required = missing.filter(pipeline.required.contains)
        return required.isEmpty ? missing : required
    }

    /// One line of `pipelines --json`.
    package var json: String { JSONText.object { fields(&$0) } }

    fileprivate func fields(_ json: inout JSONText) {
        json.field("name", pipeline.name)
        json.array("stages", pipeline.stages) { $0.value($1) }
        json.array("required", pipeline.required) { $0.value($1) }
        json.array("optional", optional) { $0.value($1) }
        json.array("models", models) { $0.value($1) }
        json.field("needs_stream", pipeline.needsStream)
        if pipeline.topK > 0 {
            json.field("top_k", pipeline.topK)
            if pipeline.boxes > 0 { json.field("boxes", pipeline.boxes) }
        }
        json.field("now", now.rawValue)
        json.array("missing", missing) { $0.value($1) }
        json.array("unoffered", pipeline.unoffered) { $0.value($1) }
        json.field("text", pipeline.text)
    }
}

extension JSONText {
    package mutating func add(_ line: PipelineLine) { object { line.fields(&$0) } }
}
