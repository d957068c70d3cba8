import ArgumentParser

struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "send", abstract: "Send pictures through a mesh.")

    func run() async throws { throw Fatal("'send' is not there yet") }
}
