import Results

/// Pipelines that are not tried, since it is known that there is no node for a stage of theirs: one cause is told once.
struct PipelineGap {
    /// In the order in which they came.
    private(set) var names: [String] = []
    private var stages: [String] = []

    /// - Parameter missing: stages of it without a node.
    /// - Returns: whether it is one of these.
    mutating func takes(_ name: String, missing: [String]) -> Bool {
        guard !missing.isEmpty else { return false }
        names.append(name)
        stages += missing.filter { !stages.contains($0) }
        return true
    }

    /// - Parameter known: roles of which there are nodes, whatever their state; nil: they are not shown to us.
    /// - Returns: nil: there are none.
    func finding(known: Set<String>?) -> Finding? {
        guard !names.isEmpty else { return nil }
        let advice = stages.map { stage in
            let role = PipelineLine.roles[stage] ?? stage
            guard let known else { return "Whoever runs the mesh can see what became of the nodes for \(stage)." }
            return known.contains(role) || known.contains(PipelineLine.allRounder)
                ? "Look at what is said of the nodes for \(stage) above."
                : "Start nodes for \(stage) (framemesh \(role)), and name them to the coordinator (--\(role)s)."
        }
        return .wrong(
            "pipelines",
            "not tried, as no node is ready for \(stages.joined(separator: " and ")): \(names.joined(separator: ", "))",
            do: advice.joined(separator: " "))
    }
}
