import Foundation
import NIOCore
import Testing

@testable import RPC

/// The service and the client of docs/rpc.md: they are the files of Examples, they work, and they are short.
@Suite(.timeLimit(.minutes(5))) struct ExamplesTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

    @Test func theClientIsGreeted() async throws {
        let server = try await Greeter.serve(port: 0)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            defer { tasks.cancelAll() }
            let client = try GreeterClient(address: "127.0.0.1:\(server.address.port ?? 0)")
            defer { client.close() }
            let greeting = try await client.greet("Anna")
            #expect(greeting == "Hello, Anna")
            let error = await failure { _ = try await client.greet("") }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message == "the name is empty")
        }
    }

    @Test(arguments: ["Greeter.swift", "GreeterClient.swift"])
    func theDocumentShowsTheFile(_ name: String) throws {
        let code = try String(contentsOf: Self.folder.appending(path: "Examples/\(name)"), encoding: .utf8)
        let page = Self.folder.deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/rpc.md")
        #expect(try String(contentsOf: page, encoding: .utf8).contains("```swift\n\(code)```\n"))
        #expect(code.split(separator: "\n").count <= 30)
    }
}
