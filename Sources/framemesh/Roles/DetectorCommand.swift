import ArgumentParser

struct DetectorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "detector", abstract: "Run a detection node.")

    func run() async throws { throw Fatal("'detector' is not there yet") }
}
