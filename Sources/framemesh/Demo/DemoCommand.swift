import ArgumentParser

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Show a mesh at work on bundled pictures and a video.")

    func run() async throws { throw Fatal("'demo' is not there yet") }
}
