import Coordination

/// Kinds of nodes that a coordinator was told nothing of, which may be a mistake.
struct UnnamedNodes {
    var detectors: Bool
    var classifiers: Bool

    /// What it cannot do without them; nothing where all are named.
    func warnings(_ pipelines: [Pipeline]) -> [String] {
        if detectors, classifiers {
            return [
                "no nodes: every frame will fail; name them with --detectors and --classifiers, or --nodes (or `none`)"
            ]
        }
        if detectors { return [Self.warning("--detectors", without: "detect", pipelines)] }
        if classifiers { return [Self.warning("--classifiers", without: "classify", pipelines)] }
        return []
    }

    private static func warning(_ option: String, without stage: String, _ pipelines: [Pipeline]) -> String {
        let using = pipelines.filter { $0.stages.map(\.name).contains(stage) }
        let failing = using.filter { $0.required.contains(stage) || $0.stages.count == 1 }.map(\.name)
        let partial = using.map(\.name).filter { !failing.contains($0) }
        var parts: [String] = []
        if !failing.isEmpty { parts.append("frames of \(failing.joined(separator: ", ")) will fail") }
        if !partial.isEmpty { parts.append("those of \(partial.joined(separator: ", ")) will be partial") }
        let what = parts.isEmpty ? "no pipeline needs them" : parts.joined(separator: ", ")
        return "no \(option): \(what) (`\(option) none` if that is meant)"
    }
}
