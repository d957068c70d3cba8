package import Mesh
package import Messages

/// A mesh as its coordinators saw it a moment ago.
package struct MeshView: Sendable {
    package struct Coordinator: Sendable {
        /// As calls of the gateway find it.
        package var endpoint: EndpointState
        /// That it sends to; none where it does not answer.
        package var nodes: [NodeState]
    }

    package var coordinators: [Coordinator]
    /// Of the one that was asked.
    package var pipelines: [PipelineDescription]

    package func pipeline(named name: String) -> PipelineDescription? { pipelines.first { $0.name == name } }

    /// Each once, though several coordinators send to it: as the one sees it that gets on with it best.
    package var nodes: [NodeState] {
        var nodes: [NodeState] = []
        var places: [String: Int] = [:]
        for node in coordinators.flatMap(\.nodes) {
            let name = "\(node.role) \(node.address)"
            if let place = places[name] {
                if node.isReady, !nodes[place].isReady { nodes[place] = node }
            } else {
                places[name] = nodes.count
                nodes.append(node)
            }
        }
        return nodes
    }

    package var readyNodes: Int { nodes.count(where: \.isReady) }
}

extension NodeState {
    var isReady: Bool { state == "ready" }
}
