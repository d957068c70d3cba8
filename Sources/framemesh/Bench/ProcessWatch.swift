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

    struct Sample: Sendable {
        /// Its role; nil: it has ended, and nobody has asked for its times yet.
        var name: String?
        var usage: ProcessUsage
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
    func sample() async -> [Key: Sample] {
        var samples: [Key: Sample] = [:]
        for pid in ProcessTable.families(of: [getpid()] + roots).prefix(Self.maxProcesses) {
            let name = pid == getpid() ? "bench" : ProcessTable.name(of: pid)
            if let usage = ProcessUsage.read(pid) { samples[.process(pid)] = Sample(name: name, usage: usage) }
        }
        for (url, answer) in await answers() {
            guard case .success(let usage) = answer else { continue }
            samples[.metrics(url)] = Sample(name: url.absoluteString, usage: usage)
        }
        return samples
    }

    /// Addresses that tell nothing now, in their order, and why.
    func silent() async -> [(url: URL, reason: String)] {
        let answers = await answers()
        return metrics.compactMap { url in
            guard case .failure(let silence)? = answers[url] else { return nil }
            return (url, silence.reason)
        }
    }

    private struct Silence: Error {
        var reason: String
    }

    private func answers() async -> [URL: Result<ProcessUsage, Silence>] {
        await withTaskGroup(of: (URL, Result<ProcessUsage, Silence>).self) { tasks in
            var waiting = metrics[...]
            func ask() {
                guard let url = waiting.popFirst() else { return }
                tasks.addTask { (url, await Self.usage(at: url)) }
            }
            for _ in 0..<Self.metricsAtOnce { ask() }
            var answers: [URL: Result<ProcessUsage, Silence>] = [:]
            for await (url, answer) in tasks {
                answers[url] = answer
                ask()
            }
            return answers
        }
    }

    private static func usage(at url: URL) async -> Result<ProcessUsage, Silence> {
        switch await GatewayProbe().reply(to: .init(url), timeout: metricsTimeout) {
        case .failure(let silence): return .failure(Silence(reason: silence.reason))
        case .success(let reply):
            if let usage = ProcessUsage(metrics: String(decoding: reply.body, as: UTF8.self)) { return .success(usage) }
            return .failure(
                Silence(
                    reason: reply.status == 200
                        ? "what answers tells no processor time and memory of a process"
                        : "it answers with \(reply.status)"))
        }
    }

    /// What each took, those that ended or began meanwhile among them.
    /// - Parameters:
    ///   - samples: of the begin, and of the end of each window.
    ///   - frames: that were answered in between.
    func records(of samples: [[Key: Sample]], frames: UInt64) -> [ProcessRecord] {
        Set(samples.flatMap(\.keys)).compactMap { key -> ProcessRecord? in
            let found = samples.compactMap { $0[key] }
            var usage = found.map(\.usage)
            let wasThere = samples.first?[key] != nil
            var number: Int32?
            switch key {
            case .process(let pid):
                number = pid
                // Before it began it had taken nothing.
                if !wasThere { usage.insert(ProcessUsage(cpuSeconds: 0, residentBytes: 0), at: 0) }
            // Of a role that did not tell at first, nothing is known.
            case .metrics: if !wasThere { return nil }
            }
            // A process may have been asked before it was what it is.
            let name = found.compactMap(\.name).last ?? number.map { "\($0)" } ?? ""
            return ProcessRecord(name: name, pid: number, usage: usage, frames: frames)
        }
        .sorted { ($0.name, $0.pid ?? 0) < ($1.name, $1.pid ?? 0) }
    }
}
