import Foundation
import TestSupport

/// A mesh of real processes, started by `framemesh up`.
struct LocalMesh: Sendable {
    let command: Command
    /// HOST:PORT.
    let coordinator: String
    /// In the environment of all its processes.
    let mark: EnvironmentMark

    static func up(
        detectors: Int = 1, classifiers: Int = 1, detectModel: String? = "digits-detector",
        classifyModel: String? = "digits-classifier", extra: [String] = [], environment: [String: String] = [:]
    ) async throws -> LocalMesh {
        var arguments = [
            "up", "--coordinator-port", "0", "--detectors", "\(detectors)", "--classifiers", "\(classifiers)",
        ]
        if !extra.contains("--gateway-port") { arguments.append("--no-gateway") }
        if let detectModel { arguments += ["--detect-model", detectModel] }
        if let classifyModel { arguments += ["--classify-model", classifyModel] }
        let mark = EnvironmentMark()
        var environment = environment.merging(mark.environment) { $1 }
        // A folder that is named must be there.
        if Place.hasSharedModels { environment["FRAMEMESH_MODELS"] = Place.models.path }
        let command = try Command(arguments + extra, environment: environment)
        let coordinator = try await command.line(startingWith: "ready coordinator=")
        return LocalMesh(command: command, coordinator: coordinator, mark: mark)
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
        command.signal(SIGTERM)
        let result = try await command.finish(within: .seconds(180))
        let left = ProcessTable.marked(mark)
        for pid in left { kill(pid, SIGKILL) }
        guard left.isEmpty else { throw Failure("up left \(left.count) processes behind") }
        guard result.code == 0 else { throw Failure("up ended with \(result.code): \(result.errors.suffix(2000))") }
    }

    /// Returns once the coordinator has calls that run on each of its detectors.
    func untilDetectorsAreBusy(within limit: Duration = .seconds(90)) async throws {
        struct Node: Decodable {
            var role: String
            var outstanding: Int
        }
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            let result = try await Command.run(["nodes", "--coordinator", coordinator, "--json"])
            let nodes = try result.lines.map { try JSONDecoder().decode(Node.self, from: Data($0.utf8)) }
            let detectors = nodes.filter { $0.role == "detector" }
            if !detectors.isEmpty, detectors.allSatisfy({ $0.outstanding > 0 }) { return }
        }
        throw Failure("a detector has no calls after \(limit)")
    }

    func send(_ pipeline: String, _ files: [String], _ extra: [String] = []) async throws -> Command.Result {
        try await Command.run(
            ["send", "--coordinator", coordinator, "--pipeline", pipeline, "--json"] + extra + files)
    }
}

/// A variable that a process hands down to all that it starts: they are found by it whoever their parent is by then.
struct EnvironmentMark: Sendable {
    static let name = "TEST_MARK_OF_FRAMEMESH"
    let value = UUID().uuidString
    var environment: [String: String] { [Self.name: value] }
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

    /// Those that run with the mark in their environment; a zombie has none.
    static func marked(_ mark: EnvironmentMark) -> [Int32] {
        let wanted = Array("\(EnvironmentMark.name)=\(mark.value)".utf8)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { pid in
            let environment = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ"))) ?? Data()
            return environment.split(separator: 0).contains { $0.elementsEqual(wanted) }
        }
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
