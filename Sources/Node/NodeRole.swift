import Services
import Vision

/// What a node does for the mesh.
public enum NodeRole: String, Sendable, CaseIterable {
    case detector, classifier

    /// Health is also reported under this name.
    var serviceName: String {
        switch self {
        case .detector: ServiceName.detector
        case .classifier: ServiceName.classifier
        }
    }

    /// What its models must be for.
    var task: ModelManifest.Task {
        switch self {
        case .detector: .detection
        case .classifier: .classification
        }
    }
}
