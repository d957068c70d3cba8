package import Foundation

/// What a number was measured on, and with what. Numbers whose records differ are of different things.
package struct EnvironmentRecord: Sendable, Codable, Equatable {
    package var cpu: String
    /// That are online.
    package var cores: Int
    /// Of those, which this process may use, as Linux lists them: `0-1,4`; nil: unknown.
    package var affinity: String?
    package var kernel: String
    package var memoryMb: Int
    /// Processes that wanted a processor in the minute before the start: others that share the machine show here.
    package var loadAverage: Double?
    /// Of the program that measured.
    package var version: String
    /// Of its source; nil: it was not built in a work tree that is here.
    package var commit: String?
    /// Seconds since the epoch.
    package var startedAt: Double

    package init(
        cpu: String, cores: Int, affinity: String? = nil, kernel: String, memoryMb: Int, loadAverage: Double? = nil,
        version: String, commit: String? = nil, startedAt: Double
    ) {
        self.cpu = cpu
        self.cores = cores
        self.affinity = affinity
        self.kernel = kernel
        self.memoryMb = memoryMb
        self.loadAverage = loadAverage
        self.version = version
        self.commit = commit
        self.startedAt = startedAt
    }

    /// Of this machine and process, now.
    /// - Parameter executable: a work tree is looked for above it.
    package static func read(version: String, executable: URL) -> EnvironmentRecord {
        func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        let information = ProcessInfo.processInfo
        return EnvironmentRecord(
            cpu: value(of: "model name", in: text("/proc/cpuinfo")) ?? "unknown",
            cores: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
            affinity: value(of: "Cpus_allowed_list", in: text("/proc/self/status")),
            kernel: text("/proc/sys/kernel/ostype").trimmed + " " + text("/proc/sys/kernel/osrelease").trimmed,
            memoryMb: Int(information.physicalMemory >> 20),
            loadAverage: text("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) },
            version: version, commit: commit(above: executable), startedAt: Date().timeIntervalSince1970.rounded())
    }

    /// Of the first line `NAME : VALUE`; nil: there is none.
    package static func value(of name: String, in text: String) -> String? {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let value = line.split(separator: ":", maxSplits: 1).dropFirst().first
        else { return nil }
        let trimmed = String(value).trimmed
        return trimmed.isEmpty ? nil : trimmed
    }

    /// Folders that are looked into.
    private static let maxDepth = 16

    private static func commit(above executable: URL) -> String? {
        var folder = executable.deletingLastPathComponent()
        for _ in 0..<maxDepth where folder.path != "/" {
            let git = folder.appending(path: ".git")
            func text(_ name: String) -> String? { try? String(contentsOf: git.appending(path: name), encoding: .utf8) }
            if let head = text("HEAD") { return commit(head: head, file: text) }
            folder = folder.deletingLastPathComponent()
        }
        return nil
    }

    /// What `HEAD` of a repository stands for.
    /// - Parameter file: reads a file of `.git`; nil where it is not there.
    package static func commit(head: String, file: (String) -> String?) -> String? {
        let prefix = "ref: "
        guard head.hasPrefix(prefix) else { return hash(head.trimmed) }
        let name = String(head.dropFirst(prefix.count)).trimmed
        guard !name.contains("..") else { return nil }
        if let found = file(name) { return hash(found.trimmed) }
        let packed = file("packed-refs")?.split(separator: "\n").first { $0.hasSuffix(" " + name) }
        return packed?.split(separator: " ").first.flatMap { hash(String($0)) }
    }

    private static func hash(_ text: String) -> String? {
        text.count >= 40 && text.allSatisfy(\.isHexDigit) ? text : nil
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
