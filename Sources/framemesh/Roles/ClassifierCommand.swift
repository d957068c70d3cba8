import ArgumentParser
import Node

struct ClassifierCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "classifier",
        abstract: "Run a node that names what pictures, or boxes of them, show.",
        discussion: """
            Listens on 127.0.0.1:8502 with the model digits-classifier, unless told otherwise. Prints \
            `ready HOST:PORT` once it serves. SIGTERM or Ctrl-C lets running work finish.

            Examples:
              framemesh classifier
              framemesh classifier --listen 0.0.0.0:8502 --model digits-classifier \\
                --max-batch-size 8
            """)

    @OptionGroup var node: NodeOptions

    func run() async throws { try await node.run(as: .classifier) }
}
