import ArgumentParser

struct ClassifierCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "classifier", abstract: "Run a classification node.")

    func run() async throws { throw Fatal("'classifier' is not there yet") }
}
