import Foundation
import TestSupport

/// A mesh of real processes, started by `framemesh up`.
struct LocalMesh: Sendable {
    let command: Command
    /// HOST:PORT.
    let coordinator: String

    static func up(
        detectors: Int = 1, classifiers: Int = 1, detectModel: String? = "digits-detector",
        classifyModel: String? = "digits-classifier", extra: [String] = []
    ) async throws -> LocalMesh {
        var arguments = [
            "up", "--coordinator-port", "0", "--detectors", "\(detectors)", "--classifiers", "\(classifiers)",
        ]
        if let detectModel { arguments += ["--detect-model", detectModel] }
        if let classifyModel { arguments += ["--classify-model", classifyModel] }
        let command = try Command(arguments + extra, environment: ["FRAMEMESH_MODELS": Place.models.path])
        let coordinator = try await command.line(startingWith: "ready coordinator=")
        return LocalMesh(command: command, coordinator: coordinator)
    }

    /// Runs `body`, then ends the mesh; it must leave nothing behind.
    static func with<Value: Sendable>(
        _ mesh: LocalMesh, _ body: (LocalMesh) async throws -> Value
    ) async throws -> Value {
        do {
            let value = try await body(mesh)
            try await mesh.down()
            return value
        } catch {
            let log = mesh.command.errorText
            try? await mesh.down()
            throw Failure("\(error)\nthe mesh said:\n\(log.suffix(4000))")
        }
    }

    func down() async throws {
        let family = ProcessTable.descendants(of: command.pid)
        command.signal(SIGTERM)
        let result = try await command.finish(within: .seconds(60))
        let left = family.filter { ProcessTable.isAlive($0) }
        for pid in left { kill(pid, SIGKILL) }
        guard left.isEmpty else { throw Failure("up left \(left.count) processes behind") }
        guard result.code == 0 else { throw Failure("up ended with \(result.code): \(result.errors.suffix(2000))") }
    }

    func send(_ pipeline: String, _ files: [String], _ extra: [String] = []) async throws -> Command.Result {
        try await Command.run(
            ["send", "--coordinator", coordinator, "--pipeline", pipeline, "--json"] + extra + files)
    }
}

/// What `/proc` says.
enum ProcessTable {
    struct Entry {
        var pid: Int32
        var parent: Int32
        var state: Character
        var arguments: [String]
    }

    static func all() -> [Entry] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).compactMap { pid in
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let close = stat.lastIndex(of: ")")
            else { return nil }
            let fields = stat[stat.index(after: close)...].split(separator: " ")
            let line = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline"))) ?? Data()
            let arguments = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return Entry(pid: pid, parent: Int32(fields[1]) ?? 0, state: fields[0].first ?? "?", arguments: arguments)
        }
    }

    static func descendants(of pid: Int32) -> [Int32] {
        let all = all()
        var found: [Int32] = []
        var next = [pid]
        while let parent = next.popLast() {
            let children = all.filter { $0.parent == parent }.map(\.pid)
            found += children
            next += children
        }
        return found
    }

    /// Neither gone nor a zombie.
    static func isAlive(_ pid: Int32) -> Bool { all().contains { $0.pid == pid && $0.state != "Z" } }

    /// Resident memory, KiB.
    static func residentKiB(_ pid: Int32) -> Int? {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return nil }
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropLast().last.flatMap { Int($0) }
    }

    static func child(of pid: Int32, role: String) -> [Int32] {
        let family = Set(descendants(of: pid))
        return all().filter { family.contains($0.pid) && $0.arguments.dropFirst().first == role }.map(\.pid)
    }
}
