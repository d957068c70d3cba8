package import Mesh
package import Messages
package import Results

/// A mesh as its coordinators saw it a moment ago.
package struct MeshView: Sendable {
    package struct Coordinator: Sendable {
        /// As calls of the gateway find it.
        package var endpoint: EndpointState
        /// That it sends to; none where it does not answer.
        package var nodes: [NodeState]
    }

    package let coordinators: [Coordinator]
    /// Each once, though several coordinators send to it: as the one sees it that gets on with it best.
    package let nodes: [NodeState]
    /// What can be asked for, with these nodes.
    package let pipelines: [PipelineLine]

    /// - Parameter pipelines: of one of the coordinators.
    init(coordinators: [Coordinator], pipelines: [PipelineDescription]) {
        self.coordinators = coordinators
        let nodes = Self.nodes(of: coordinators)
        self.nodes = nodes
        self.pipelines = pipelines.map { PipelineLine($0, nodes) }
    }

    private static func nodes(of coordinators: [Coordinator]) -> [NodeState] {
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

    package func pipeline(named name: String) -> PipelineLine? { pipelines.first { $0.pipeline.name == name } }

    package var readyNodes: Int { nodes.count(where: \.isReady) }

    /// Nodes that are not ready, but may be soon, are known for all stages that `line` fails without.
    func mayRecover(_ line: PipelineLine) -> Bool {
        line.failingStages.allSatisfy { PipelineLine.isKnown($0, of: nodes) }
    }
}

extension NodeState {
    var isReady: Bool { state == "ready" }
}
