import Foundation
import NIOCore

/// How many processors this process can use: of the machine's those that it may run on (`taskset`, cpusets), and no more than
/// its control groups have time for (`--cpus` of containers, `CPUQuota=` of systemd). A part of a processor's time counts as one.
struct ProcessorCount {
    /// Where the kernel tells of this process, and of control groups.
    var process = "/proc/self"
    var groups = "/sys/fs/cgroup"

    static let usable = ProcessorCount().usable(of: System.coreCount)

    /// - Parameter cores: of the machine, or of the container.
    func usable(of cores: Int) -> Int { max(1, min(cores, allowed ?? cores, quota ?? cores)) }

    // ---- where it may run ----

    private var allowed: Int? {
        let name = "Cpus_allowed_list:"
        let lines = text("\(process)/status").split(separator: "\n")
        return lines.first { $0.hasPrefix(name) }.flatMap { Self.count(list: $0.dropFirst(name.count)) }
    }

    /// - Parameter list: as `0-3,8`.
    private static func count(list: Substring) -> Int? {
        var sum = 0
        for part in list.filter({ !$0.isWhitespace }).split(separator: ",") {
            let ends = part.split(separator: "-").map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, last >= first else { return nil }
            sum += last - first + 1
        }
        return sum == 0 ? nil : sum
    }

    // ---- what its groups have time for ----

    private var quota: Int? {
        text("\(process)/cgroup").split(separator: "\n").compactMap { line -> Int? in
            // Number, controllers, path; version 2 names no controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            if parts[1].isEmpty {
                return least(below: groups, parts[2]) { Self.processors(text("\($0)/cpu.max").split(separator: " ")) }
            }
            guard parts[1].split(separator: ",").contains("cpu") else { return nil }
            return least(below: "\(groups)/cpu", parts[2]) { group in
                Self.processors(["quota", "period"].map { Substring(text("\(group)/cpu.cfs_\($0)_us")) })
            }
        }.min()
    }

    /// Of a group and those that it is in. A container may see itself at the root, whatever its path is.
    private func least(below root: String, _ path: Substring, _ quota: (_ group: String) -> Int?) -> Int? {
        let names = path.split(separator: "/").map(String.init)
        return (0...names.count).compactMap { quota(([root] + names.prefix($0)).joined(separator: "/")) }.min()
    }

    /// - Parameter words: microseconds of processor time, and in how many; `max` or -1: as much as there is.
    private static func processors(_ words: [Substring]) -> Int? {
        let numbers = words.map { Int($0.filter { !$0.isWhitespace }) ?? 0 }
        guard numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else { return nil }
        return (numbers[0] - 1) / numbers[1] + 1
    }

    /// Empty: it is not there.
    private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
