import ArgumentParser

struct CoordinatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "coordinator", abstract: "Run a coordinator.")

    func run() async throws { throw Fatal("'coordinator' is not there yet") }
}
