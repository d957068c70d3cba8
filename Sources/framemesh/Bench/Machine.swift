import Foundation

/// What a number was measured on.
struct Machine: Sendable {
    var cpu: String
    var cores: Int

    static var this: Machine {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        return Machine(cpu: cpuModel(info) ?? "unknown", cores: ProcessInfo.processInfo.activeProcessorCount)
    }

    /// The first `model name` of `/proc/cpuinfo`.
    static func cpuModel(_ info: String) -> String? {
        guard let line = info.split(separator: "\n").first(where: { $0.hasPrefix("model name") }) else { return nil }
        let name = line.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
        return name.flatMap { $0.isEmpty ? nil : $0 }
    }
}
