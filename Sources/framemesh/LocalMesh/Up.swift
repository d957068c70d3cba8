import ArgumentParser

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "up", abstract: "Run a whole mesh on this machine.")

    func run() async throws { throw Fatal("'up' is not there yet") }
}
