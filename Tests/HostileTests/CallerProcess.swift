import Foundation
import TestSupport

/// `hostile-target --client`, and what can be seen of it from outside.
final class CallerProcess {
    struct Outcome {
        /// Of gRPC.
        var code: Int
        /// Of the memory budget, when the call had ended.
        var reserved: Int
        /// Counters of limits that moved with it.
        var reasons: Set<String>
        var text: String
        var took: Duration
        /// Of the processor, while it ran.
        var processorSeconds: Double
        /// Above what the process had before.
        var memory: Int
    }

    private let process: ChildProcess
    private var calls = 0
    private var counters: [String: Int] = [:]

    init() throws { process = try ChildProcess(Injector.target, ["--client"], input: .open) }

    func call(_ kind: String, _ port: Int, within limit: Duration) async throws -> Outcome {
        calls += 1
        let memory = try memory("VmRSS")
        try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/\(process.pid)/clear_refs"))
        let (started, processor) = (ContinuousClock.now, try processorSeconds())
        try process.write(line: "\(calls) \(kind) \(port) \(Int(limit / .milliseconds(1)))")
        let words = try await process.line(startingWith: "\(calls) ").split(
            separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4, let code = Int(words[0]), let reserved = Int(words[1]) else {
            throw Failure("the caller said '\(words.joined(separator: " "))'")
        }
        var now: [String: Int] = [:]
        for entry in words[2].split(separator: ",") where entry != "-" {
            let parts = entry.split(separator: "=")
            now[String(parts[0])] = Int(parts[1])
        }
        let moved = now.filter { $0.value > counters[$0.key] ?? 0 }.keys
        counters = now
        return Outcome(
            code: code, reserved: reserved, reasons: Set(moved), text: String(words[3]),
            took: ContinuousClock.now - started, processorSeconds: try processorSeconds() - processor,
            memory: try self.memory("VmHWM") - memory)
    }

    /// A channel that was closed has its socket for a moment.
    func settledDescriptors() async throws -> Int {
        var seen = [try descriptors()]
        while seen.count < 3 || (seen.count < 100 && Set(seen.suffix(3)).count > 1) {
            try await Task.sleep(for: .milliseconds(100))
            seen.append(try descriptors())
        }
        return seen.last ?? 0
    }

    /// Without those that loops and timers make for themselves when they are first used: no peer can make more.
    private func descriptors() throws -> Int {
        let folder = "/proc/\(process.pid)/fd"
        return try FileManager.default.contentsOfDirectory(atPath: folder).count { name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
            return target.map { !$0.hasPrefix("anon_inode:") } ?? false
        }
    }

    /// - Throws: if it does not end as it should.
    func finish() async throws {
        process.closeInput()
        let result = try await process.finish(within: .seconds(60))
        guard result.code == 0 else {
            throw Failure("the caller ended with \(result.code): \(result.errors.suffix(3000))")
        }
    }

    private func processorSeconds() throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process.pid)/stat", encoding: .utf8)
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        return fields[12...13].compactMap { Double($0) }.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private func memory(_ key: String) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        guard let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
            throw Failure("no \(key) of the caller")
        }
        return kilobytes << 10
    }
}
