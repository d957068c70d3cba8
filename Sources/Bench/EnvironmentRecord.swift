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
    /// Of the work tree that the program lies in, at the time of the run, with `-dirty` behind it where files were changed; nil:
    /// there is none, or no git.
    package var commit: String?
    /// When the program was built, in seconds since the epoch; after this the commit may have become another one.
    package var builtAt: Double?
    /// Files of the shared libraries that this process has loaded and that decide what is measured.
    package var libraries: [String]?
    /// That the program was built with: Swift's, and that of its C++; nil: an older program did not say.
    package var compilers: [String]?
    /// Seconds since the epoch.
    package var startedAt: Double

    package init(
        cpu: String, cores: Int, affinity: String? = nil, kernel: String, memoryMb: Int, loadAverage: Double? = nil,
        version: String, commit: String? = nil, builtAt: Double? = nil, libraries: [String]? = nil,
        compilers: [String]? = nil, startedAt: Double
    ) {
        self.cpu = cpu
        self.cores = cores
        self.affinity = affinity
        self.kernel = kernel
        self.memoryMb = memoryMb
        self.loadAverage = loadAverage
        self.version = version
        self.commit = commit
        self.builtAt = builtAt
        self.libraries = libraries
        self.compilers = compilers
        self.startedAt = startedAt
    }

    /// Of this machine and process, now.
    /// - Parameters:
    ///   - executable: a work tree is looked for above it.
    ///   - core: the compiler of the C++ in it.
    package static func read(version: String, executable: URL, core: String) -> EnvironmentRecord {
        // Files of /proc have no size, and `String(contentsOfFile:)` takes their first page for all of them.
        func text(_ path: String) -> String {
            let bytes = try? FileHandle(forReadingAtPath: path)?.readToEnd()
            return String(decoding: bytes ?? Data(), as: UTF8.self)
        }
        let information = ProcessInfo.processInfo
        return EnvironmentRecord(
            cpu: value(of: "model name", in: text("/proc/cpuinfo")) ?? "unknown",
            cores: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
            affinity: value(of: "Cpus_allowed_list", in: text("/proc/self/status")),
            kernel: text("/proc/sys/kernel/ostype").trimmed + " " + text("/proc/sys/kernel/osrelease").trimmed,
            memoryMb: Int(information.physicalMemory >> 20),
            loadAverage: text("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) },
            version: version, commit: commit(above: executable), builtAt: time(of: executable),
            libraries: libraries(in: text("/proc/self/maps")), compilers: ["Swift \(SwiftCompiler.version)", core],
            startedAt: Date().timeIntervalSince1970.rounded())
    }

    /// Of the first line `NAME : VALUE`; nil: there is none.
    package static func value(of name: String, in text: String) -> String? {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let value = line.split(separator: ":", maxSplits: 1).dropFirst().first
        else { return nil }
        let trimmed = String(value).trimmed
        return trimmed.isEmpty ? nil : trimmed
    }

    private static func time(of file: URL) -> Double? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
        return (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970.rounded()
    }

    /// Shared libraries that decide what is measured, by the begin of their names.
    private static let watched = [
        "libopencv_core", "libopencv_dnn", "libdnnl", "libopenvino.", "libnghttp2", "libprotobuf-c", "libturbojpeg",
    ]

    /// The files of those that are mapped, each with its version in its name.
    /// - Parameter maps: `/proc/self/maps`, see proc(5).
    static func libraries(in maps: String) -> [String] {
        let files = maps.split(separator: "\n").compactMap { $0.split(separator: "/").last }.map(String.init)
        return Set(files).filter { file in watched.contains { file.hasPrefix($0) } && file.contains(".so") }.sorted()
    }

    /// What `git describe` says of the work tree that the program lies in.
    private static func commit(above executable: URL) -> String? {
        let git = Process()
        let output = Pipe()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.arguments = [
            "git", "-C", executable.deletingLastPathComponent().path, "describe", "--always", "--dirty", "--abbrev=40",
            "--exclude=*",
        ]
        git.standardOutput = output
        git.standardError = FileHandle.nullDevice
        guard (try? git.run()) != nil else { return nil }
        let said = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        return git.terminationStatus == 0 ? commit(described: String(decoding: said, as: UTF8.self)) : nil
    }

    /// nil: it is no hash, with `-dirty` behind it where files differ from those of the commit.
    static func commit(described text: String) -> String? {
        let text = text.trimmed
        let hash = text.hasSuffix(dirty) ? text.dropLast(dirty.count) : text[...]
        return hash.count >= 40 && hash.allSatisfy(\.isHexDigit) ? text : nil
    }

    private static let dirty = "-dirty"
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
