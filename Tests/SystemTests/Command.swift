import Foundation
import TestSupport
import Testing

/// Where things are.
enum Place {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// The folder that this test bundle was built into: the executables are beside it.
    static let products = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent()
    static let framemesh = products.appending(path: "framemesh")
    static let shared = root.deletingLastPathComponent().appending(path: "shared")
    static let models = shared.appending(path: "models")
    static let golden = shared.appending(path: "golden")
    static let pictures = golden.appending(path: "pictures")
    static let demo = root.appending(path: "Sources/framemesh/Resources/demo")
    static let vtest = URL(fileURLWithPath: "/usr/share/doc/opencv-doc/examples/data/vtest.avi")

    static var hasSharedModels: Bool { exists(models.appending(path: "manifest.json")) && exists(pictures) }

    static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

    /// An empty folder of its own, removed with the returned value's `remove()`.
    static func temporary(_ name: String) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "framemesh-\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}

/// One run of the real executable.
typealias Command = ChildProcess

extension ChildProcess {
    convenience init(_ arguments: [String], environment: [String: String] = [:], input: Data? = nil) throws {
        try self.init(Place.framemesh, arguments, environment: environment, input: input.map { .bytes($0) } ?? .none)
    }

    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: Data? = nil,
        within limit: Duration = .seconds(900)
    ) async throws -> Result {
        try await Command(arguments, environment: environment, input: input).finish(within: limit)
    }

    /// A role that serves until the test ends it.
    static func serving<Value>(
        _ arguments: [String], environment: [String: String] = [:],
        _ body: (_ role: Command, _ address: String) async throws -> Value
    ) async throws -> Value {
        let role = try Command(arguments, environment: environment)
        defer { role.signal(SIGKILL) }
        do {
            return try await body(role, try await role.line(startingWith: "ready "))
        } catch {
            throw Failure("\(error)\n\(arguments[0]) said:\n\(role.errorText.suffix(2000))")
        }
    }
}
