import RPC

/// Why the mesh did not do what was asked, for users. What the mesh says itself may name nodes and coordinators, which are
/// nobody's business outside: it is for the log (`PlainReasons`).
enum MeshReason {
    /// - Parameters:
    ///   - message: of the mesh; shown only where it is about the user's own picture or request.
    ///   - missing: stages that gave no answer, where they are known.
    static func words(_ code: StatusCode, _ message: String, without missing: [String] = []) -> String {
        switch code {
        case .failedPrecondition where !missing.isEmpty, .unavailable where !missing.isEmpty: noNodes(for: missing)
        case .failedPrecondition: "no nodes for a stage of this pipeline"
        case .invalidArgument: message
        case .notFound: "the mesh has no model or pipeline by this name"
        case .deadlineExceeded: "the mesh did not answer before the deadline"
        case .resourceExhausted: "the mesh has more to do than it takes"
        case .unavailable: "no node or coordinator is there for this"
        case .aborted: "a newer frame took its place"
        case .cancelled: "the call was cancelled"
        case .unauthenticated, .permissionDenied: "the mesh refuses the calls that this takes"
        default: "the mesh failed at this"
        }
    }

    static func noNodes(for stages: [String]) -> String { "no \(nodes(for: stages))" }

    static func nodes(for stages: [String]) -> String {
        "nodes for the \(stages.count == 1 ? "stage" : "stages") \(stages.joined(separator: " and "))"
    }
}
