import Bench

/// What `bench` says to people at its end.
enum BenchReport {
    static func text(_ result: BenchResult, percentile: Double?, limit: Double?) -> String {
        var lines = [head(result), machine(result.environment)]
        let others = result.otherVersions.map { "\($0.role) \($0.versions.joined(separator: " and "))" }
        if !others.isEmpty {
            let list = others.joined(separator: ", ")
            lines.append("note: measured with version \(result.environment.version), and of another are: \(list)")
        }
        lines.append("")
        lines += loads(result).lines
        for point in result.points { lines += details(point, isOnlyOne: result.points.count == 1) }
        if result.endedInWarmUp == true {
            lines += ["", "the next point was not measured: the run ended in its warm-up"]
        }
        if let text = result.errorText { lines += ["", text] }
        if let limit {
            let latency = "\(LatencyFigures.name(of: percentile)) of \(Figure.text(limit, decimals: 3)) ms"
            lines.append("")
            if let best = result.bestConcurrency {
                let mark = result.isBestUnstable ? " (unstable: its windows did not agree)" : ""
                if result.isCutShort {
                    lines.append("it ended before its answer: within a \(latency) are at least \(best)\(mark)")
                } else if result.isBestTheMost {
                    lines.append("no more were tried: within a \(latency) are at least \(best)\(mark)")
                } else {
                    lines.append("most at once within a \(latency): \(best)\(mark)")
                }
            } else if result.isCutShort {
                lines.append("it ended before anything was known to stay within a \(latency)")
            } else {
                lines.append("nothing that was measured stays within a \(latency)")
            }
        }
        if let capacity = result.capacity {
            lines += ["", "capacity: \(Figure.rate(capacity)) frames/s"]
            let goodput = result.points.filter { $0.load.factor ?? 0 >= 1 }.map(\.framesPerSecond)
            if let least = goodput.min(), capacity > 0 {
                lines.append(
                    "least goodput under overload: \(Figure.text(least / capacity * 100, decimals: 0)) % of it")
            }
            if let most = result.beyondCapacity {
                lines.append(
                    "note: up to \(Figure.rate(most)) frames/s were answered under overload: the capacity was "
                        + "measured with too few callers (--concurrency), and the multiples are of too little")
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func head(_ result: BenchResult) -> String {
        var text = result.target.map { "\(result.mode) at \($0)" } ?? result.mode
        let inside = result.models + [result.engine].compactMap(\.self)
        if !inside.isEmpty { text += " (\(inside.joined(separator: ", ")))" }
        text += ", pipeline \(result.pipeline), \(Count.of(result.inputs, "picture"))"
        return text + (result.isInterrupted ? " (interrupted)" : "")
    }

    private static func machine(_ record: EnvironmentRecord) -> String {
        var text = "\(record.cpu), \(Count.of(record.cores, "core"))"
        if let affinity = record.affinity { text += " (may use \(affinity))" }
        text += ", \(record.kernel)"
        if let load = record.loadAverage { text += ", load before \(Figure.text(load, decimals: 2))" }
        return text
    }

    private static func loads(_ result: BenchResult) -> Table {
        var table = Table(
            "load", "frames/s>", "mean ms>", "sd>", "p50>", "p90>", "p95>", "p99>", "p99.9>", "ok>", "partial>",
            "failed>", "dropped>", "")
        table.hidesEmptyColumns = true
        for point in result.points {
            let latency = point.latencyMs
            func ms(_ value: Double) -> String { Self.ms(value, of: point, decimals: 2) }
            table.add(
                point.load.text, Figure.rate(point.framesPerSecond), ms(latency.mean), ms(latency.sd),
                ms(latency.p50), ms(latency.p90), ms(latency.p95), ms(latency.p99), ms(latency.p999), "\(point.ok)",
                "\(point.partial)", "\(point.failed)", point.load.kind == .cameras ? "\(point.dropped)" : "",
                mark(point))
        }
        return table
    }

    /// Without an answer there is no latency.
    private static func ms(_ value: Double, of point: BenchPoint, decimals: Int) -> String {
        Figure.column(point.answered > 0 ? value : .nan, decimals: decimals)
    }

    private static func mark(_ point: BenchPoint) -> String {
        if point.isInterrupted { return "interrupted" }
        return point.isStable ? "" : "unstable (\(Count.of(point.trials, "window")))"
    }

    private static func details(_ point: BenchPoint, isOnlyOne: Bool) -> [String] {
        var lines: [String] = []
        for (cause, count) in sorted(point.errors) { lines.append("  \(count) failed: \(cause)") }
        for (cause, count) in sorted(point.errorsOutsideWindows) {
            lines.append("  \(count) failed outside of the windows that count: \(cause)")
        }
        for (cause, count) in sorted(point.partials ?? [:]) { lines.append("  \(count) partial: \(cause)") }
        for (cause, count) in sorted(point.partialsOutsideWindows) {
            lines.append("  \(count) partial outside of the windows that count: \(cause)")
        }
        for (cause, count) in sorted(point.drops) { lines.append("  \(count) dropped: \(cause)") }
        if point.hasOverdueFrames {
            lines.append("  " + unanswered(point))
        }
        if point.retried > 0 {
            lines.append("  \(point.retried) answered by another node after one failed, refused or was slow")
        }
        if point.load.kind == .cameras {
            lines.append(
                "  delivered \(Figure.number(point.framesPerSecond / Double(max(1, point.load.callers)))) frames/s"
                    + " of each camera, \(point.outOfOrderAtAll) out of order, age p50 "
                    + "\(ms(point.latencyMs.p50, of: point, decimals: 1)) ms, p99 "
                    + "\(ms(point.latencyMs.p99, of: point, decimals: 1)) ms")
        }
        if point.outOfOrderAtAll > 0 {
            lines.append("  \(Count.of(point.outOfOrderAtAll, "answer")) out of order, each of which ended its stream")
        }
        if point.load.kind == .streams || point.load.kind == .cameras, point.resumptions > 0 {
            lines.append(
                "  \(Count.of(point.resumptions, "resumption")) after a lost coordinator, "
                    + "\(Count.of(point.framesSentAgain, "frame")) sent again, last epoch \(point.lastEpoch)")
        }
        for disturbance in point.disturbances {
            lines.append("  at \(Figure.text(disturbance.atSeconds, decimals: 1)) s: \(disturbance.text)")
            lines.append("    " + (disturbance.recovery?.text ?? "too short to say what it did"))
        }
        if point.load.kind == .rate || point.load.kind == .cameras, point.longestDelayMs > 10 {
            // Frames that were not sent, or are on their way, may be later.
            let whose = point.unsent > 0 ? "of the frames that came to an end, the latest" : "the latest frame"
            lines.append("  \(whose) was sent \(Figure.column(point.longestDelayMs, decimals: 1)) ms late")
        }
        if let split = splitText(point) { lines.append("  " + split) }
        for process in point.processes {
            let cpu =
                process.cpuSecondsPerThousand.map { "\(Figure.column($0, decimals: 3)) CPU s/1,000 frames" } ?? "–"
            lines.append(
                "  \(process.name)\(process.pid.map { " \($0)" } ?? ""): \(cpu), "
                    + "\(Figure.column(process.residentMb, decimals: 1)) MB")
        }
        if !lines.isEmpty, !isOnlyOne { lines.insert("\(point.load.text):", at: 0) }
        return lines.isEmpty ? [] : [""] + lines
    }

    private static func unanswered(_ point: BenchPoint) -> String {
        let age = "\(Figure.column(point.oldestUnansweredMs, decimals: 1)) ms"
        guard point.unanswered > 1 else {
            let what = point.unsent == 0 ? "had no answer" : "was due and not sent yet"
            return "1 frame \(what) at the end, after \(age), and counts as at least that old"
        }
        var text = "\(point.unanswered) frames had no answer at the end, the oldest after \(age)"
        if point.unsent > 0 {
            text += "; \(point.unsent) of them \(point.unsent == 1 ? "was" : "were") due and not sent yet"
        }
        return text + ". Each counts as at least as old as it was then"
    }

    private static func sorted(_ causes: [String: UInt64]) -> [(String, UInt64)] {
        causes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }

    private static func splitText(_ point: BenchPoint) -> String? {
        var parts: [String] = []
        func add(_ name: String, _ value: Double?) {
            if let value, value > 0 { parts.append("\(name) \(Figure.column(value, decimals: 3))") }
        }
        if let client = point.clientMs {
            add("send", client.send)
            add("wait", client.wait)
            add("receive", client.receive)
        }
        if let server = point.serverMs {
            let steps: [(String, Double?)] = [
                ("queue", server.queue), ("decode", server.decode), ("preprocess", server.preprocess),
                ("infer", server.infer), ("postprocess", server.postprocess), ("network", server.network),
                ("fan-out", server.fanOut), ("merge", server.merge), ("turn", server.turn), ("track", server.track),
            ]
            for (name, value) in steps { add(name, value) }
        }
        return parts.isEmpty ? nil : "mean ms: " + parts.joined(separator: ", ")
    }
}
