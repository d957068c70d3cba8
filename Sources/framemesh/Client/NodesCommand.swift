import ArgumentParser
import Client
import Messages
import RPC
import Services

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodes", abstract: "Show the nodes of a mesh, as its coordinator sees them.",
        discussion: """
            States: ready; connecting (see reason); unhealthy, it says so itself; wrong service, something else has its \
            address; silent, it does not answer; ejected, its calls failed. The last two get no calls while others are ready.

            Examples:
              framemesh nodes
              framemesh nodes --watch
              framemesh nodes --coordinator 10.0.0.5:8500
              framemesh nodes --json | jq -r 'select(.state != "ready").address'

            Exit code 0 if the coordinator answered, also when no node is ready.
            """, aliases: ["top"])

    @OptionGroup var coordinator: CoordinatorOption

    @Flag(help: "One JSON object a line, one line a node.") var json = false

    @Flag(help: "Again and again, until interrupted or the coordinator is lost.") var watch = false

    @Option(help: ArgumentHelp("Seconds between two looks of --watch.", valueName: "s"))
    var interval = 1.0

    /// Moves a terminal's cursor to the top left, and wipes what is below.
    private static let home = "\u{1B}[H\u{1B}[J"

    func validate() throws {
        guard (0.1...3600).contains(interval) else { throw ValidationError("--interval must be 0.1 to 3600") }
    }

    func run() async throws {
        try await Interrupts.run {
            let client = try await coordinator.connect()
            defer { client.close() }
            let console = Console()
            try show(try await nodes(client), of: client, on: console)
            while watch {
                try await Task.sleep(for: .seconds(interval))
                try show(try await nodes(client), of: client, on: console)
            }
        }
    }

    private func nodes(_ client: MeshClient) async throws -> [NodeState] {
        do {
            return try await client.vision.nodes(deadline: .after(MeshClient.answerTimeout))
        } catch {
            throw client.explaining(error)
        }
    }

    private func show(_ nodes: [NodeState], of client: MeshClient, on console: Console) throws {
        if json { return try nodes.forEach { try console.print($0.line) } }
        let text =
            nodes.isEmpty ? "the coordinator at \(client.name) knows no nodes" : NodeState.table(nodes).text
        try console.print(watch && console.isTerminal ? Self.home + text : text)
    }
}
