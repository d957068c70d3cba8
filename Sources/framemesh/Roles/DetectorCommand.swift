import ArgumentParser
import Node

struct DetectorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detector",
        abstract: "Run a node that finds objects in pictures.",
        discussion: """
            Listens on 127.0.0.1:8501 with the model digits-detector, unless told otherwise. Prints `ready HOST:PORT` \
            once it serves. SIGTERM or Ctrl-C lets running work finish.

            Examples:
              framemesh detector
              framemesh detector --listen 0.0.0.0:8501 --model yolo-fastest-1.1 --workers 4
            """)

    @OptionGroup var node: NodeOptions

    func run() async throws { try await node.run(as: .detector) }
}
