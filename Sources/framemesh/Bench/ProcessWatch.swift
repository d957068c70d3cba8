import Bench
import Foundation
import Gateway

/// Processes whose processor time and memory are measured along: this one, those that were named, and their children.
struct ProcessWatch: Sendable {
    enum Key: Sendable, Hashable {
        /// With its role, which nobody can ask for once it has ended.
        case process(Int32, name: String)
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
            let name = pid == getpid() ? "bench" : ProcessTable.name(of: pid)
            if let found = ProcessUsage.read(pid) { usage[.process(pid, name: name)] = found }
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

    /// What each took, those that ended or began meanwhile among them.
    /// - Parameters:
    ///   - samples: of the begin, and of the end of each window.
    ///   - frames: that were answered in between.
    func records(of samples: [[Key: ProcessUsage]], frames: UInt64) -> [ProcessRecord] {
        Set(samples.flatMap(\.keys)).compactMap { key -> ProcessRecord? in
            var usage = samples.compactMap { $0[key] }
            let wasThere = samples.first?[key] != nil
            switch key {
            case .process(let pid, let name):
                // Before it began it had taken nothing.
                if !wasThere { usage.insert(ProcessUsage(cpuSeconds: 0, residentBytes: 0), at: 0) }
                return ProcessRecord(name: name, pid: pid, usage: usage, frames: frames)
            case .metrics(let url):
                // Of a role that did not tell at first, nothing is known.
                return wasThere
                    ? ProcessRecord(name: url.absoluteString, pid: nil, usage: usage, frames: frames) : nil
            }
        }
        .sorted { ($0.name, $0.pid ?? 0) < ($1.name, $1.pid ?? 0) }
    }
}
