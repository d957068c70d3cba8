import Foundation

/// A result as one page that needs nothing else: no script, no other file; light or dark as its reader has it.
package enum HTMLReport {
    /// - Parameters:
    ///   - percentile: of the latency that the limit is about; nil: its mean.
    ///   - limit: milliseconds; nil: there was none.
    package static func text(_ result: BenchResult, percentile: Double? = nil, limit: Double? = nil) -> String {
        let title = "framemesh bench: \(result.pipeline), \(result.mode)" + (result.target.map { " \($0)" } ?? "")
        let sections =
            [
                "<h1>\(HTMLText.escaped(title))</h1>", "<p>\(HTMLText.escaped(summary(result, percentile, limit)))</p>",
                HTMLText.table(loads(result)), remarks(result), plots(result), split(result), processes(result),
                causes(result), disturbances(result), "<h2>Measured on</h2>",
                HTMLText.table(environment(result), ofWords: true),
            ]
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(HTMLText.escaped(title))</title>
            <style>
            \(style)
            </style>
            </head>
            <body>
            \(sections.filter { !$0.isEmpty }.joined(separator: "\n"))
            </body>
            </html>

            """
    }

    private static let style = """
        :root { color-scheme: light dark; --ink: #1c1e21; --paper: #fff; --faint: #d6d9de;
          --c0: #1f6fd0; --c1: #d9552b; --c2: #2b8a4b; --c3: #8d45b5; --c4: #a87900; --c5: #0e8a94; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --paper: #16181b; --faint: #3a3e45;
          --c0: #6fb0ff; --c1: #ff9570; --c2: #6fd08f; --c3: #cf9bf0; --c4: #e6bd4d; --c5: #5fd3dd; } }
        body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
          max-width: 100rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word; }
        table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: .2rem .4rem; border-bottom: 1px solid var(--faint); }
        th:first-child, td:first-child, .words th, .words td { text-align: left; }
        .words th, .words td { vertical-align: top; }
        .words td:last-child { overflow-wrap: anywhere; min-width: 8rem; }
        @media (min-width: 40rem) { th:first-child, td:first-child { min-width: 12rem; } }
        .scroll { overflow-x: auto; margin: 1rem 0; }
        svg { display: block; width: 100%; min-width: 40rem; max-width: 60rem; height: auto; }
        svg text { font-size: 12px; fill: var(--ink); } svg .title { font-weight: 600; font-size: 14px; }
        svg .middle { text-anchor: middle; } svg .end { text-anchor: end; }
        .grid { stroke: var(--faint); } .line { fill: none; stroke-width: 2; }
        .c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); }
        .c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); }
        .line, .mark { stroke: var(--c); } .mark { stroke-dasharray: 4 3; } .dot { fill: var(--c); }
        .key { border-bottom: 3px solid var(--c); margin-right: 1rem; }
        """

    private static func summary(_ result: BenchResult, _ percentile: Double?, _ limit: Double?) -> String {
        var parts = ["\(Figure.count(result.inputs, "picture")), \(result.inputBytes) bytes"]
        parts += [result.versionNote].compactMap(\.self) + result.remarks(percentile: percentile, limit: limit)
        if result.isInterrupted, result.errorText == nil, result.endedInWarmUp != true {
            parts.append("the run was ended before its time")
        }
        // Whose windows had no time to agree is no less stable for that.
        let unstable = result.points.count { !$0.isStable && !$0.isInterrupted }
        if unstable > 0 { parts.append("unstable: \(unstable) of \(result.points.count)") }
        return parts.map { "\($0.prefix(1).uppercased())\($0.dropFirst())." }.joined(separator: " ")
    }

    private static func loads(_ result: BenchResult) -> [[String]] {
        let hasDrops = result.points.contains { $0.load.kind == .cameras }
        var head = [
            "load", "frames/s", "mean ms", "sd", "p50", "p90", "p95", "p99", "p99.9", "ok", "partial", "failed",
        ]
        if result.hasRefusals { head.append("refused") }
        if hasDrops { head.append("dropped") }
        let rows = result.points.map { point in
            let latency = point.latencyMs
            let times = [
                latency.mean, latency.sd, latency.p50, latency.p90, latency.p95, latency.p99, latency.p999,
            ]
            var row = [point.load.text, Figure.rate(point.framesPerSecond)]
            row += times.map { Figure.column(point.answered > 0 ? $0 : .nan, decimals: 2) }
            row += ["\(point.ok)", "\(point.partial)", "\(point.failed)"]
            if result.hasRefusals { row.append("\(point.refused)") }
            if hasDrops { row.append(point.load.kind == .cameras ? "\(point.dropped)" : "") }
            return row + [point.isInterrupted ? "interrupted" : point.isStable ? "yes" : "no"]
        }
        return [head + ["stable"]] + rows
    }

    private static func remarks(_ result: BenchResult) -> String {
        let rows = result.points.flatMap { point in point.remarks.map { [point.load.text, $0] } }
        guard !rows.isEmpty else { return "" }
        return "<h2>Notes</h2>\n" + HTMLText.table([["load", ""]] + rows, ofWords: true)
    }

    // ---- plots ----

    private static func plots(_ result: BenchResult) -> String {
        var plots: [SVGPlot] = []
        let varied = varied(result)
        if varied.count > 1 {
            let name = xName(varied)
            plots.append(
                SVGPlot(
                    title: "Throughput", xName: name, yName: "frames/s",
                    lines: [
                        .init(name: "answered", points: varied.map { ($0.load.number, $0.framesPerSecond) }),
                        .init(name: "sent", points: varied.map { ($0.load.number, $0.sentPerSecond) }),
                    ]))
            plots.append(
                SVGPlot(
                    title: "Latency", xName: name, yName: "ms",
                    lines: [
                        line("p50", varied) { $0.p50 }, line("p90", varied) { $0.p90 }, line("p99", varied) { $0.p99 },
                        line("p99.9", varied) { $0.p999 },
                    ]))
        }
        let measured = result.points.filter { $0.answered > 0 && !$0.distribution.isEmpty }
        if !measured.isEmpty { plots.append(distribution(measured)) }
        let longest = result.points.filter { $0.windows.count > 1 }
        if !longest.isEmpty { plots.append(time(longest)) }
        return plots.map(\.svg).joined(separator: "\n")
    }

    /// Points that differ in one number: under overload without the one that found the capacity.
    private static func varied(_ result: BenchResult) -> [BenchPoint] {
        let factors = result.points.filter { $0.load.factor != nil }
        return factors.isEmpty ? result.points : factors
    }

    private static func xName(_ points: [BenchPoint]) -> String {
        guard let load = points.first?.load else { return "" }
        if load.factor != nil { return "times the capacity" }
        return load.kind == .rate ? "frames/s that were planned" : "at once"
    }

    private static func line(
        _ name: String, _ points: [BenchPoint], _ value: (LatencyFigures) -> Double
    ) -> SVGPlot.Line {
        SVGPlot.Line(
            name: name, points: points.filter { $0.answered > 0 }.map { ($0.load.number, value($0.latencyMs)) })
    }

    /// Nines on the axis: the slowest one of ten, of a hundred, of a thousand are as far from each other.
    private static func distribution(_ points: [BenchPoint]) -> SVGPlot {
        SVGPlot(
            title: "Latency by percentile", xName: "percentile", yName: "ms",
            lines: points.map { point in
                SVGPlot.Line(name: point.load.text, points: point.distribution.map { ($0.percentile, $0.ms) })
            }, ticks: [(0, "0"), (50, "50"), (90, "90"), (99, "99"), (99.9, "99.9"), (99.99, "99.99")],
            scale: { -log10(max(1 - $0 / 100, 0.00005)) })
    }

    /// Windows stand at their ends, in seconds since the first of them began, as disturbances do.
    private static func time(_ points: [BenchPoint]) -> SVGPlot {
        let lines = points.map { point in
            var now = 0.0
            return SVGPlot.Line(
                name: point.load.text,
                points: point.windows.map { window in
                    now += window.seconds
                    return (now, window.framesPerSecond)
                },
                marks: point.disturbances.map { disturbance in
                    let text = "\(point.load.text): at \(disturbance.timeText): \(disturbance.text)"
                    return (disturbance.atSeconds, text)
                })
        }
        let end = lines.flatMap { $0.points.map(\.x) + $0.marks.map(\.x) }.max() ?? 0
        return SVGPlot(
            title: "Throughput over time", xName: "seconds", yName: "frames/s", lines: lines,
            ticks: SVGPlot.ticks(upTo: end))
    }

    // ---- tables ----

    private static func split(_ result: BenchResult) -> String {
        let points = result.points.filter { $0.serverMs != nil || $0.clientMs != nil }
        guard !points.isEmpty else { return "" }
        let head = [
            "load", "send", "wait", "receive", "queue", "decode", "preprocess", "infer", "postprocess", "network",
            "fan-out", "merge", "turn", "track",
        ]
        let rows = points.map { point in
            let client = point.clientMs.map { [$0.send, $0.wait, $0.receive] } ?? [.nan, .nan, .nan]
            let server = point.serverMs
            let times =
                server.map {
                    [
                        $0.queue, $0.decode, $0.preprocess, $0.infer, $0.postprocess, $0.network, $0.fanOut ?? .nan,
                        $0.merge ?? .nan, $0.turn ?? .nan, $0.track,
                    ]
                } ?? []
            return [point.load.text] + (client + times).map { Figure.column($0, decimals: 3) }
        }
        return "<h2>Where the time goes (means, ms)</h2>\n" + HTMLText.table([head] + rows)
    }

    private static func processes(_ result: BenchResult) -> String {
        let rows = result.points.flatMap { point in
            point.processes.map { process in
                [
                    point.load.text, process.name, process.pid.map { "\($0)" } ?? "",
                    process.cpuSecondsPerThousand.map { Figure.column($0, decimals: 3) } ?? "–",
                    Figure.column(process.residentMb, decimals: 1),
                ]
            }
        }
        guard !rows.isEmpty else { return "" }
        return "<h2>Processes</h2>\n"
            + HTMLText.table([["load", "process", "pid", "CPU s per 1,000 frames", "memory MB"]] + rows)
    }

    private static func causes(_ result: BenchResult) -> String {
        var rows: [[String]] = []
        for point in result.points {
            let load = point.load.text
            rows += point.causes.map { [load, $0.what, "\($0.count)", $0.cause] }
            if let text = point.outOfOrderText {
                rows.append([load, "out of order", "\(point.outOfOrderAtAll)", text])
            }
            if let text = point.unansweredText { rows.append([load, "unanswered", "\(point.unanswered)", text]) }
        }
        guard !rows.isEmpty else { return "" }
        return "<h2>What went wrong</h2>\n"
            + HTMLText.table([["load", "", "how many", "cause"]] + rows, ofWords: true)
    }

    private static func disturbances(_ result: BenchResult) -> String {
        let rows: [[String]] = result.points.flatMap { point in
            point.disturbances.map { disturbance in
                let seconds = Figure.text(disturbance.atSeconds, decimals: 1)
                return [point.load.text, seconds, disturbance.text, disturbance.effectText]
            }
        }
        guard !rows.isEmpty else { return "" }
        return "<h2>Disturbances</h2>\n"
            + HTMLText.table([["load", "at (s)", "what", "throughput"]] + rows, ofWords: true)
    }

    private static func environment(_ result: BenchResult) -> [[String]] {
        let record = result.environment
        var rows = [["", ""], ["processor", record.cpu], ["cores", "\(record.cores)"]]
        if let affinity = record.affinity { rows.append(["may use cores", affinity]) }
        rows += [["kernel", record.kernel], ["memory", "\(record.memoryMb) MB"]]
        if let load = record.loadAverage { rows.append(["load before", Figure.text(load, decimals: 2)]) }
        rows.append(["framemesh", record.version])
        if let commit = record.commit { rows.append(["commit", commit]) }
        if let libraries = record.libraries, !libraries.isEmpty {
            rows.append(["libraries", libraries.joined(separator: ", ")])
        }
        if let compilers = record.compilers {
            // Without what they were made of.
            rows.append(["compilers", compilers.map { $0.split(separator: " (").first ?? "" }.joined(separator: ", ")])
        }
        for (role, versions) in (result.versions ?? [:]).sorted(by: { $0.key < $1.key }) {
            rows.append(["framemesh, \(role)", versions.joined(separator: ", ")])
        }
        if let engine = result.engine { rows.append(["engine", engine]) }
        if !result.models.isEmpty { rows.append(["models", result.models.joined(separator: ", ")]) }
        return rows
            + result.configuration.sorted { $0.key < $1.key }.map { name, value in
                [name.first?.isLowercase == true ? "--\(name)" : name, value]
            }
    }
}
