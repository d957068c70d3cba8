import Results

/// Pipelines that are not tried, since it is known that there is no node for a stage of theirs: one cause is told once.
struct PipelineGap {
    /// Pipelines that lack the same kinds of nodes or some of them, in the order in which they came.
    private struct Group {
        var names: [String] = []
        var stages: [String] = []

        mutating func add(_ name: String, _ missing: [String]) {
            names.append(name)
            stages += missing.filter { !stages.contains($0) }
        }
    }

    /// Of stages for which nodes should be there.
    private var broken = Group()
    /// Of stages for which the coordinator was told of no nodes, which may be meant so.
    private var unoffered = Group()

    /// Of pipelines that are not tried.
    var count: Int { broken.names.count + unoffered.names.count }

    /// - Parameters:
    ///   - missing: stages of it without a node.
    ///   - unoffered: stages for which the coordinator was told of no nodes.
    /// - Returns: whether it is one of these.
    mutating func takes(_ name: String, missing: [String], unoffered stages: [String]) -> Bool {
        guard !missing.isEmpty else { return false }
        let awaited = missing.filter { !stages.contains($0) }
        if awaited.isEmpty { unoffered.add(name, missing) } else { broken.add(name, awaited) }
        return true
    }

    /// - Parameter known: roles of which there are nodes, whatever their state; nil: they are not shown to us.
    func findings(known: Set<String>?) -> [Finding] {
        var findings: [Finding] = []
        if !broken.names.isEmpty {
            let advice = broken.stages.map { stage in
                guard let known else { return "Whoever runs the mesh can see what became of the nodes for \(stage)." }
                return known.contains(Self.role(of: stage)) || known.contains(PipelineLine.allRounder)
                    ? "Look at what is said of the nodes for \(stage) above."
                    : "Start nodes for \(stage) (\(Self.way(to: stage)))."
            }
            findings.append(
                .wrong(
                    "pipelines", "not tried, as no node is ready for \(Self.text(of: broken))",
                    do: advice.joined(separator: " ")))
        }
        if !unoffered.names.isEmpty {
            let ways = unoffered.stages.map(Self.way(to:)).joined(separator: "; ")
            findings.append(
                .note(
                    "pipelines",
                    "not offered, or only in part, as the coordinator is told of no nodes for \(Self.text(of: unoffered))",
                    do: "If that is not meant, start them (\(ways))."))
        }
        return findings
    }

    private static func role(of stage: String) -> String { PipelineLine.roles[stage] ?? stage }

    private static func way(to stage: String) -> String {
        "framemesh \(role(of: stage)), named to the coordinator with --\(role(of: stage))s"
    }

    private static func text(of group: Group) -> String {
        "\(group.stages.joined(separator: " and ")): \(group.names.joined(separator: ", "))"
    }
}
