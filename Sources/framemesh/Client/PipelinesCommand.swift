import ArgumentParser
import Client
import Messages
import RPC
import Results
import Services

struct PipelinesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipelines", abstract: "Show the pipelines of a mesh: stages, models, and what works now.",
        discussion: """
            Without a node for one of its stages a frame fails, or is partial where the stage is optional. Tracking is \
            done by the coordinator itself, and needs a stream.

            Examples:
              framemesh pipelines
              framemesh pipelines --coordinator 10.0.0.5:8500
              framemesh pipelines --json | jq -r 'select(.now == "ready").name'

            Exit code 0 if the coordinator answered, also when no pipeline works.
            """)

    @OptionGroup var coordinator: CoordinatorOption

    @Flag(help: "One JSON object a line, one line a pipeline.") var json = false

    func run() async throws {
        try await Interrupts.run {
            let client = try await coordinator.connect(sendsStreams: false)
            defer { client.close() }
            let nodes: [NodeState]
            do {
                nodes = try await client.vision.nodes(deadline: .after(MeshClient.answerTimeout))
            } catch {
                throw client.explaining(error)
            }
            let console = Console()
            let lines = client.pipelines.map { PipelineLine($0, nodes) }
            if json {
                for line in lines { try console.print(line.json) }
            } else {
                try console.print(PipelineLine.table(lines).text)
            }
        }
    }
}
