/// Service and method names of `framemesh.v1` (proto/framemesh/v1/framemesh.proto).
public enum ServiceName {
    public static let vision = "framemesh.v1.Vision"
    public static let detector = "framemesh.v1.Detector"
    public static let classifier = "framemesh.v1.Classifier"
    /// Both stages in one call.
    public static let fused = "framemesh.v1.Fused"
    public static let node = "framemesh.v1.Node"

    /// What `grpc.health.v1` is asked of a service that must belong to a mesh; an empty name is any.
    public static func health(_ service: String, cluster: String) -> String {
        cluster.isEmpty ? service : "\(service)@\(cluster)"
    }
}

public enum MethodPath {
    public static let analyze = "/framemesh.v1.Vision/Analyze"
    public static let analyzeStream = "/framemesh.v1.Vision/AnalyzeStream"
    public static let listPipelines = "/framemesh.v1.Vision/ListPipelines"
    public static let listNodes = "/framemesh.v1.Vision/ListNodes"
    public static let detect = "/framemesh.v1.Detector/Detect"
    public static let detectStream = "/framemesh.v1.Detector/DetectStream"
    public static let classify = "/framemesh.v1.Classifier/Classify"
    public static let classifyStream = "/framemesh.v1.Classifier/ClassifyStream"
    public static let fused = "/framemesh.v1.Fused/Run"
    public static let fusedStream = "/framemesh.v1.Fused/RunStream"
    public static let describe = "/framemesh.v1.Node/Describe"
}
