public import Foundation
import Synchronization

/// A program that a test started: what it says, and how it ended.
public final class ChildProcess: Sendable {
    public struct Result: Sendable {
        public var code: Int32
        public var output: String
        public var errors: String
        public var lines: [String] { output.split(separator: "\n").map(String.init) }
        /// What a person reads when it failed; without progress bars.
        public var errorLines: [String] {
            errors.split(whereSeparator: { $0 == "\n" || $0 == "\r" }).map(String.init)
        }
    }

    /// What its standard input is.
    public enum Input: Sendable {
        case none
        case bytes(Data)
        /// Lines that the test writes as it goes.
        case open
    }

    private let process: Mutex<Process>
    private let output = Collector()
    private let errors = Collector()
    private let input: Mutex<FileHandle?>
    public let pid: Int32

    public init(
        _ executable: URL, _ arguments: [String], environment: [String: String] = [:], input: Input = .none
    ) throws {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        output.attach(to: process, \.standardOutput)
        errors.attach(to: process, \.standardError)
        let pipe = Pipe()
        if case .none = input { process.standardInput = FileHandle.nullDevice } else { process.standardInput = pipe }
        try process.run()
        pid = process.processIdentifier
        switch input {
        case .none: self.input = Mutex(nil)
        case .bytes(let data):
            try pipe.fileHandleForWriting.write(contentsOf: data)
            try pipe.fileHandleForWriting.close()
            self.input = Mutex(nil)
        case .open: self.input = Mutex(pipe.fileHandleForWriting)
        }
        self.process = Mutex(process)
    }

    public func signal(_ number: Int32) { kill(pid, number) }

    public func write(line: String) throws {
        try input.withLock { try $0?.write(contentsOf: Data((line + "\n").utf8)) }
    }

    public func closeInput() {
        input.withLock { handle in
            try? handle?.close()
            handle = nil
        }
    }

    public var isRunning: Bool { process.withLock { $0.isRunning } }
    public var errorText: String { errors.text }

    /// Waits for the end; a run that outlives `limit` is killed and counts as a failure.
    public func finish(within limit: Duration = .seconds(900)) async throws -> Result {
        let end = ContinuousClock.now + limit
        while isRunning {
            if ContinuousClock.now > end {
                signal(SIGKILL)
                throw Failure("still running after \(limit): \(errors.text.suffix(2000))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        let code = process.withLock { $0.terminationStatus }
        return Result(code: code, output: await output.finished(), errors: await errors.finished())
    }

    /// Waits for a line of standard output that starts with `prefix`, and returns the rest of it.
    public func line(startingWith prefix: String, within limit: Duration = .seconds(300)) async throws -> String {
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
}

public struct Failure: Error, CustomStringConvertible {
    public let description: String
    public init(_ text: String) { description = text }
}

/// Takes what a process writes as it comes, so that it never waits for us.
private final class Collector: Sendable {
    /// For what is still in the pipe when the process has ended.
    private static let patience = Duration.seconds(30)

    private let pipe = Pipe()
    private let data = Mutex(Data())
    private let hasEnded = Mutex(false)

    /// A thread reads, not `readabilityHandler`: that cancels its dispatch source behind the back of whoever closes the pipe,
    /// and an event for a source that is gone takes the process down.
    func attach(to process: Process, _ path: ReferenceWritableKeyPath<Process, Any?>) {
        process[keyPath: path] = pipe
        Thread.detachNewThread {
            while self.takeChunk() {}
            self.hasEnded.withLock { $0 = true }
        }
    }

    /// Waits for something in the pipe.
    /// - Returns: false at its end.
    private func takeChunk() -> Bool {
        var entry = pollfd(fd: pipe.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&entry, 1, -1) > 0 else { return errno == EINTR }
        // Read under the lock: what is not in the pipe is in `data`.
        return data.withLock { data in
            let chunk = pipe.fileHandleForReading.availableData
            data.append(chunk)
            return !chunk.isEmpty
        }
    }

    var text: String { data.withLock { String(decoding: $0, as: UTF8.self) } }

    /// Whether the pipe holds nothing that `data` lacks.
    private var isDrained: Bool {
        data.withLock { _ in
            var entry = pollfd(fd: pipe.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            return unsafe poll(&entry, 1, 0) == 0
        }
    }

    /// All of it, once the process has ended. Another child that has inherited the pipe does not hold us up.
    func finished() async -> String {
        let end = ContinuousClock.now + Self.patience
        while !hasEnded.withLock({ $0 }), !isDrained, ContinuousClock.now < end, !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(5))
        }
        return text
    }
}
