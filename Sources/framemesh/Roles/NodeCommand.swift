import ArgumentParser
import Node

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run a node that does both: it finds objects, and names what pictures or boxes show.",
        discussion: """
            A picture that needs both comes once and is decoded once. Listens on 127.0.0.1:8503 with the models \
            digits-detector and digits-classifier, unless told otherwise; --model names one that detects and one that \
            classifies, or more. Coordinators find it by --nodes, and take it for a detector or a classifier too. Prints \
            `ready HOST:PORT` once it serves. SIGTERM or Ctrl-C lets running work finish.

            Examples:
              framemesh node
              framemesh node --listen 0.0.0.0:8503 --model yolo-fastest-1.1,squeezenet-1.1
            """)

    @OptionGroup var node: NodeOptions

    func run() async throws { try await node.run(as: .node) }
}
