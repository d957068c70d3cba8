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
    /// Of one address: who has not told by then is left out.
    static let metricsTimeout: Duration = .seconds(1)
    /// Addresses that are asked at one time.
    static let metricsAtOnce = 32

    /// Whose children count too.
    var roots: [Int32] = []
    var metrics: [URL] = []

    /// What each has taken until now; one that is gone is left out.
    func sample() async -> [Key: ProcessUsage] {
        var usage: [Key: ProcessUsage] = [:]
        for pid in ProcessTable.families(of: [getpid()] + roots).prefix(Self.maxProcesses) {
            if let found = ProcessUsage.read(pid) { usage[.process(pid)] = found }
        }
        await withTaskGroup(of: (URL, ProcessUsage?).self) { tasks in
            var waiting = metrics[...]
            func ask() {
                guard let url = waiting.popFirst() else { return }
                tasks.addTask { (url, await Self.usage(at: url)) }
            }
            for _ in 0..<Self.metricsAtOnce { ask() }
            for await (url, found) in tasks {
                if let found { usage[.metrics(url)] = found }
                ask()
            }
        }
        return usage
    }

    private static func usage(at url: URL) async -> ProcessUsage? {
        guard case .success(let reply) = await GatewayProbe().reply(to: .init(url), timeout: metricsTimeout)
        else { return nil }
        return ProcessUsage(metrics: String(decoding: reply.body, as: UTF8.self))
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
