import ArgumentParser

struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "nodes", abstract: "Show the nodes of a mesh.")

    func run() async throws { throw Fatal("'nodes' is not there yet") }
}
