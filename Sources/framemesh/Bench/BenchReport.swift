import Bench

/// What `bench` says to people at its end.
enum BenchReport {
    static func text(_ result: BenchResult, percentile: Double?, limit: Double?) -> String {
        var lines = [head(result), machine(result.environment)]
        if let note = result.versionNote { lines.append(note) }
        lines.append("")
        lines += loads(result).lines
        for point in result.points { lines += details(point, isOnlyOne: result.points.count == 1) }
        let remarks = result.remarks(percentile: percentile, limit: limit)
        if !remarks.isEmpty { lines += [""] + remarks }
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
            "failed>", "refused>", "dropped>", "")
        table.hidesEmptyColumns = true
        for point in result.points {
            let latency = point.latencyMs
            func ms(_ value: Double) -> String { Self.ms(value, of: point, decimals: 2) }
            table.add(
                point.load.text, Figure.rate(point.framesPerSecond), ms(latency.mean), ms(latency.sd),
                ms(latency.p50), ms(latency.p90), ms(latency.p95), ms(latency.p99), ms(latency.p999), "\(point.ok)",
                "\(point.partial)", "\(point.failed)", result.hasRefusals ? "\(point.refused)" : "",
                point.load.kind == .cameras ? "\(point.dropped)" : "", mark(point))
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
        var lines = point.causes.map { "  \($0.count) \($0.what): \($0.cause)" }
        let sentences = [point.unansweredText, point.outOfOrderText].compactMap(\.self) + point.remarks
        lines += sentences.map { "  " + $0 }
        for disturbance in point.disturbances {
            lines.append("  at \(disturbance.timeText): \(disturbance.text)")
            lines.append("    " + disturbance.effectText)
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
