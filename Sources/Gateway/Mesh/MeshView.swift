package import Messages

/// A mesh as a coordinator saw it a moment ago.
package struct MeshView: Sendable {
    /// HOST:PORT of the one that was reached first.
    package var coordinator: String
    package var nodes: [NodeState]
    package var pipelines: [PipelineDescription]

    package func pipeline(named name: String) -> PipelineDescription? { pipelines.first { $0.name == name } }

    package var readyNodes: Int { nodes.count { $0.state == "ready" } }
}
