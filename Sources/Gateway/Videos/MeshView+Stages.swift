import Results

extension MeshView {
    /// Stages that no node does at this moment, and without which nothing comes of a pipeline; none where something does.
    func stagesMissing(for name: String) -> [String] {
        guard let found = pipeline(named: name) else { return [] }
        let line = PipelineLine(found, nodes)
        return line.now == .fails ? line.missing : []
    }
}

/// Nodes of stages, in words.
func nodes(of stages: [String]) -> String {
    "nodes for the stage\(stages.count == 1 ? "" : "s") \(stages.joined(separator: " and "))"
}
