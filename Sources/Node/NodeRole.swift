import Services
public import Vision

/// What a node does for the mesh.
public enum NodeRole: String, Sendable, CaseIterable {
    case detector, classifier
    /// Both, on one picture that is decoded once.
    case node

    /// Health is also reported under these names.
    var serviceNames: [String] {
        switch self {
        case .detector: [ServiceName.detector]
        case .classifier: [ServiceName.classifier]
        case .node: [ServiceName.detector, ServiceName.classifier, ServiceName.fused]
        }
    }

    /// What its models are for: of each task it needs one at least.
    public var tasks: [ModelManifest.Task] {
        switch self {
        case .detector: [.detection]
        case .classifier: [.classification]
        case .node: [.detection, .classification]
        }
    }

    /// Why a role cannot do with these models; nil: it can.
    public func objection(to models: [ModelManifest]) -> String? {
        let wanted = tasks.map(\.rawValue).joined(separator: " and ")
        if let wrong = models.first(where: { !tasks.contains($0.task) }) {
            return "the model '\(wrong.name)' does \(wrong.task.rawValue), a \(self) needs \(wanted)"
        }
        var seen: Set<String> = []
        for model in models where !seen.insert(model.name).inserted {
            return "the model '\(model.name)' is given twice"
        }
        for task in tasks where !models.contains(where: { $0.task == task }) {
            guard self == .node, let only = models.first else { return "a \(self) needs at least one model" }
            let role = only.task == .detection ? NodeRole.detector : .classifier
            return
                "no model does \(task.rawValue), a node needs \(wanted); for one of them there is `framemesh \(role)`"
        }
        return nil
    }
}
