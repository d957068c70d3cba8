import ArgumentParser
import Messages
import RPC
import Services

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "Show the nodes of a mesh, as its coordinator sees them.",
        discussion: """
            Examples:
              framemesh nodes
              framemesh nodes --coordinator 10.0.0.5:8500
              framemesh nodes --json | jq -r 'select(.state != "ready").address'

            Exit code 0 if the coordinator answered, also when no node is ready.
            """)

    @OptionGroup var coordinator: CoordinatorOption

    @Flag(help: "One JSON object a line, one line a node.") var json = false

    func run() async throws {
        try await Interrupts.run {
            let client = try await coordinator.connect()
            defer { client.close() }
            let nodes: [NodeState]
            do {
                nodes = try await client.vision.nodes(deadline: .after(MeshClient.answerTimeout))
            } catch {
                throw client.explaining(error)
            }
            let console = Console()
            if json {
                for node in nodes { try console.print(node.line) }
            } else if nodes.isEmpty {
                try console.print("the coordinator at \(client.name) knows no nodes")
            } else {
                try console.print(NodeState.table(nodes).text)
            }
        }
    }
}
