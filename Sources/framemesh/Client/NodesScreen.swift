import ArgumentParser
import Client
import Messages
import RPC
import Results
import Services

/// The table of a mesh's nodes, once or again and again.
struct NodesScreen {
    let coordinator: CoordinatorOption
    let json: Bool
    /// nil: once.
    let interval: Duration?

    /// Seconds.
    static let interval = 1.0

    /// Moves a terminal's cursor to the top left, and wipes what is below.
    private static let home = "\u{1B}[H\u{1B}[J"

    static func check(_ interval: Double) throws {
        guard (0.1...3600).contains(interval) else { throw ValidationError("--interval must be 0.1 to 3600") }
    }

    func show() async throws {
        try await Interrupts.run {
            let client = try await coordinator.connect(sendsStreams: false)
            defer { client.close() }
            let console = Console()
            try show(try await nodes(client), of: client, on: console)
            while let interval {
                try await Task.sleep(for: interval)
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
        try console.print(interval != nil && console.isTerminal ? Self.home + text : text)
    }
}
