import Foundation
import TestSupport
import Testing

/// The examples with curl of the pages below, as they stand there, against a mesh of real processes.
@Suite(.timeLimit(.minutes(15))) struct CurlExamplesTests {
    private static let pages = ["README.md", "docs/http-api.md", "docs/streams.md"]

    /// The shell blocks of a page that call curl and nothing of ours.
    private static func examples(_ page: String) throws -> [String] {
        let text = try String(contentsOf: Place.root.appending(path: page), encoding: .utf8)
        let blocks = text.split(separator: "```sh\n").dropFirst().compactMap { $0.split(separator: "```").first }
        return blocks.map(String.init).filter { $0.contains("curl ") && !$0.contains("framemesh ") }
    }

    @Test func theyAllWork() async throws {
        let examples = try Self.pages.flatMap(Self.examples)
        #expect(examples.count >= 9)
        let folder = try Place.temporary("curl")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "Sources"), withDestinationURL: Place.root.appending(path: "Sources"))
        let mesh = try await LocalMesh.up(
            extra: ["--gateway-port", "0", "--gateway-data", folder.appending(path: "data").path],
            environment: ["FRAMEMESH_GATEWAY_WEBHOOK_ALLOW": "hooks.example.org"])
        try await LocalMesh.with(mesh) { mesh in
            let gateway = try await mesh.command.line(startingWith: "ready gateway=http://")
            for example in examples {
                let script =
                    "set -euo pipefail; cd '\(folder.path)'\n"
                    + example.replacing("localhost:8080", with: gateway).replacing("curl -s", with: "curl -sSf")
                let child = try ChildProcess(URL(fileURLWithPath: "/bin/bash"), ["-c", script])
                let result = try await child.finish(within: .seconds(120))
                #expect(result.code == 0, "\(example): \(result.errors)")
                #expect(!result.output.isEmpty, "\(example) says nothing")
            }
        }
    }
}
