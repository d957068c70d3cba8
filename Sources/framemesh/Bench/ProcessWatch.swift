import Bench
import Foundation
import Gateway

/// Processes whose processor time and memory are measured along: this one, those that were named, and their children.
struct ProcessWatch: Sendable {
    enum Key: Sendable, Hashable {
        case process(Int32)
        /// The address of a role's metrics.
        case metrics(URL)
    }

    /// Processes at one time.
    static let maxProcesses = 256
    private static let metricsTimeout: Duration = .seconds(2)

    /// Whose children count too.
    var roots: [Int32] = []
    var metrics: [URL] = []

    /// What each has taken until now; one that is gone is left out.
    func sample() async -> [Key: ProcessUsage] {
        var usage: [Key: ProcessUsage] = [:]
        for pid in ProcessTable.families(of: [getpid()] + roots).prefix(Self.maxProcesses) {
            if let found = ProcessUsage.read(pid) { usage[.process(pid)] = found }
        }
        for url in metrics {
            guard case .success(let reply) = await GatewayProbe().reply(to: .init(url), timeout: Self.metricsTimeout),
                let found = ProcessUsage(metrics: String(decoding: reply.body, as: UTF8.self))
            else { continue }
            usage[.metrics(url)] = found
        }
        return usage
    }

    /// - Parameter frames: that were answered in between.
    func records(from before: [Key: ProcessUsage], to after: [Key: ProcessUsage], frames: UInt64) -> [ProcessRecord] {
        after.compactMap { key, usage -> ProcessRecord? in
            // A process that began meanwhile had taken nothing before; of a role that did not tell nothing is known.
            if case .metrics = key, before[key] == nil { return nil }
            let start = before[key] ?? ProcessUsage(cpuSeconds: 0, residentBytes: 0)
            switch key {
            case .process(let pid):
                let name = pid == getpid() ? "bench" : ProcessTable.name(of: pid)
                return ProcessRecord(name: name, pid: pid, from: start, to: usage, frames: frames)
            case .metrics(let url):
                return ProcessRecord(name: url.absoluteString, pid: nil, from: start, to: usage, frames: frames)
            }
        }
        .sorted { ($0.name, $0.pid ?? 0) < ($1.name, $1.pid ?? 0) }
    }
}
