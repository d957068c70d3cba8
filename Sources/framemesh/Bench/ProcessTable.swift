import Bench
import Foundation

/// The processes of this machine.
enum ProcessTable {
    /// Those processes, and their children, without the helpers that read videos: in order, each once.
    static func families(of roots: [Int32]) -> [Int32] {
        var found = roots
        for (pid, parent) in parents() where roots.contains(parent) { found.append(pid) }
        return Array(Set(found)).sorted()
    }

    private static func parents() -> [(pid: Int32, parent: Int32)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.compactMap { pid in
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let parent = ProcessUsage.parent(stat: stat)
            else { return nil }
            return (pid, parent)
        }
    }

    /// The role of a process of ours, or the name of another's executable; nil: it has ended.
    static func name(of pid: Int32) -> String? {
        let words = words(of: pid)
        guard let program = words.first?.split(separator: "/").last else { return nil }
        return program == "framemesh" && words.count > 1 ? words[1] : String(program)
    }

    private static func words(of pid: Int32) -> [String] {
        let line = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
        return line.split(separator: "\0").map(String.init)
    }

    /// Those among `pids` whose role it is.
    static func role(_ role: String, among pids: [Int32]) -> [Int32] { pids.filter { name(of: $0) == role } }

    static func exists(_ pid: Int32) -> Bool { ProcessUsage.read(pid) != nil }

    /// It is there and has not ended.
    static func isAlive(_ pid: Int32) -> Bool {
        let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return stat.map { !ProcessUsage.hasEnded(stat: $0) } ?? false
    }
}
