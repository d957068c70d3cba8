import ArgumentParser

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "models", abstract: "List, check and pull models.")

    func run() async throws { throw Fatal("'models' is not there yet") }
}
