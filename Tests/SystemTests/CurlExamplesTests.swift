import Foundation
import TestSupport
import Testing

/// The examples with curl of README.md and docs/http-api.md, as they stand there, against a mesh of real processes.
@Suite(.timeLimit(.minutes(15))) struct CurlExamplesTests {
    /// The commands of a page's shell blocks that call curl, lines that go on joined.
    private static func examples(_ page: String) throws -> [String] {
        let text = try String(contentsOf: Place.root.appending(path: page), encoding: .utf8)
        let blocks = text.split(separator: "```sh\n").dropFirst().compactMap { $0.split(separator: "```").first }
        return blocks.flatMap { block in
            block.replacing("\\\n", with: " ").split(separator: "\n").map(String.init).filter { $0.hasPrefix("curl ") }
        }
    }

    @Test func theyAllWork() async throws {
        let examples = try Self.examples("README.md") + Self.examples("docs/http-api.md")
        #expect(examples.count >= 8)
        let folder = try Place.temporary("curl")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "Sources"), withDestinationURL: Place.root.appending(path: "Sources"))
        let mesh = try await LocalMesh.up(
            extra: ["--gateway-port", "0", "--gateway-data", folder.appending(path: "data").path])
        try await LocalMesh.with(mesh) { mesh in
            let gateway = try await mesh.command.line(startingWith: "ready gateway=http://")
            for example in examples {
                let script =
                    "cd '\(folder.path)' && "
                    + example.replacing("localhost:8080", with: gateway).replacing("curl -s", with: "curl -sSf")
                let child = try ChildProcess(URL(fileURLWithPath: "/bin/bash"), ["-c", script])
                let result = try await child.finish(within: .seconds(120))
                #expect(result.code == 0, "\(example): \(result.errors)")
                let isFile = example.contains(" -o ")
                #expect(isFile || !result.output.isEmpty, "\(example) says nothing")
            }
        }
    }
}
