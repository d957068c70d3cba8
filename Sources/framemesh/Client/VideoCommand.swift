import ArgumentParser

struct VideoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "video", abstract: "Send a video through a mesh.")

    func run() async throws { throw Fatal("'video' is not there yet") }
}
