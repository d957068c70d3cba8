import Foundation
import Synchronization
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
final class Command: Sendable {
    struct Result: Sendable {
        var code: Int32
        var output: String
        var errors: String
        var lines: [String] { output.split(separator: "\n").map(String.init) }
        /// What a person reads when it failed; without progress bars.
        var errorLines: [String] {
            errors.split(whereSeparator: { $0 == "\n" || $0 == "\r" }).map(String.init)
        }
    }

    private let process: Mutex<Process>
    private let output = Collector()
    private let errors = Collector()
    let pid: Int32

    init(_ arguments: [String], environment: [String: String] = [:], input: Data? = nil) throws {
        let process = Process()
        process.executableURL = Place.framemesh
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        output.attach(to: process, \.standardOutput)
        errors.attach(to: process, \.standardError)
        let pipe = Pipe()
        process.standardInput = input == nil ? FileHandle.nullDevice : pipe
        try process.run()
        pid = process.processIdentifier
        if let input {
            try pipe.fileHandleForWriting.write(contentsOf: input)
            try pipe.fileHandleForWriting.close()
        }
        self.process = Mutex(process)
    }

    func signal(_ number: Int32) { kill(pid, number) }

    var isRunning: Bool { process.withLock { $0.isRunning } }
    var errorText: String { errors.text }

    /// Waits for the end; a run that outlives `limit` is killed and counts as a failure.
    func finish(within limit: Duration = .seconds(300)) async throws -> Result {
        let end = ContinuousClock.now + limit
        while isRunning {
            if ContinuousClock.now > end {
                signal(SIGKILL)
                throw Failure("still running after \(limit): \(errors.text.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        let code = process.withLock { $0.terminationStatus }
        return Result(code: code, output: output.finished(), errors: errors.finished())
    }

    /// Waits for a line of standard output that starts with `prefix`, and returns the rest of it.
    func line(startingWith prefix: String, within limit: Duration = .seconds(120)) async throws -> String {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            let lines = output.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            if let line = lines.first(where: { $0.hasPrefix(prefix) }) { return String(line.dropFirst(prefix.count)) }
            if !isRunning {
                let result = try await finish()
                throw Failure("ended with \(result.code) before '\(prefix)': \(result.errors)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        signal(SIGKILL)
        throw Failure("no line '\(prefix)' after \(limit): \(errors.text.suffix(2000))")
    }

    static func run(
        _ arguments: [String], environment: [String: String] = [:], input: Data? = nil,
        within limit: Duration = .seconds(300)
    ) async throws -> Result {
        try await Command(arguments, environment: environment, input: input).finish(within: limit)
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ text: String) { description = text }
}

/// Takes what a process writes as it comes, so that it never waits for us.
private final class Collector: Sendable {
    private let data = Mutex(Data())
    private let ended = DispatchSemaphore(value: 0)

    func attach(to process: Process, _ path: ReferenceWritableKeyPath<Process, Any?>) {
        let pipe = Pipe()
        process[keyPath: path] = pipe
        pipe.fileHandleForReading.readabilityHandler = { handle in
            let chunk = handle.availableData
            if chunk.isEmpty {
                handle.readabilityHandler = nil
                self.ended.signal()
            } else {
                self.data.withLock { $0.append(chunk) }
            }
        }
    }

    var text: String { data.withLock { String(decoding: $0, as: UTF8.self) } }

    /// All of it, once the process has ended. A grandchild that keeps the pipe open does not hold us up for ever.
    func finished() -> String {
        _ = ended.wait(timeout: .now() + 5)
        ended.signal()
        return text
    }
}
