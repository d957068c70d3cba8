import ArgumentParser

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bench", abstract: "Measure a mesh.")

    func run() async throws { throw Fatal("'bench' is not there yet") }
}
