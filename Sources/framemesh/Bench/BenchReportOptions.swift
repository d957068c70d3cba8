import ArgumentParser
import Bench
import Foundation

/// Where results go, and what else is measured along.
struct BenchReportOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The result as one line of JSON; - is standard output.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("A line for each point, with perf_analyzer's columns.", valueName: "file"))
    var csv: String?
    @Option(help: ArgumentHelp("A page with plots that needs nothing else.", valueName: "file"))
    var html: String?

    @Option(help: ArgumentHelp("Measure this process of the machine and its children too.", valueName: "pid"))
    var pid: [Int32] = []
    @Option(help: ArgumentHelp("Measure the process that tells its metrics here too.", valueName: "url"))
    var metrics: [String] = []

    static let standardOutput = "-"
    private static let maxProcesses = 64

    func processes() throws(Fatal) -> [Int32] {
        guard pid.count <= Self.maxProcesses else {
            throw Fatal("more than \(Self.maxProcesses) --pid", status: .usage)
        }
        for pid in pid where !ProcessTable.exists(pid) { throw Fatal("there is no process \(pid)", status: .usage) }
        return pid
    }

    func addresses() throws -> [URL] {
        guard metrics.count <= Self.maxProcesses else {
            throw Fatal("more than \(Self.maxProcesses) --metrics", status: .usage)
        }
        return try metrics.map { text in
            guard let url = URL(string: text), ["http", "https"].contains(url.scheme), url.host != nil else {
                throw Fatal("--metrics '\(text)' is not http://HOST:PORT/metrics", status: .usage)
            }
            return url
        }
    }

    /// Before the first frame is sent.
    /// - Parameter sources: whose files are no place for a report.
    /// - Throws: `Fatal` that names the file that could not be written, and why, or would be by two reports.
    func check(reading sources: [PictureSource] = []) throws(Fatal) {
        var writers: [String: String] = [:]
        for (option, file) in [("--json", json), ("--csv", csv), ("--html", html)] {
            guard let file else { continue }
            if let other = writers.updateValue(option, forKey: Self.place(of: file)) {
                let place = file == Self.standardOutput ? "standard output (-)" : file
                throw Fatal("\(other) and \(option) both write to \(place): name another file", status: .usage)
            }
            if file == Self.standardOutput { continue }
            let reason: String? =
                if PictureSource.isDirectory(file) {
                    "it is a directory"
                } else if FileManager.default.fileExists(atPath: file) {
                    FileAccess.objection(toWriting: file)
                } else {
                    FileAccess.objection(toMaking: file)
                }
            if let reason { throw Fatal("cannot write \(file): \(reason)", status: .usage) }
        }
        try InputFile.check(
            [json, csv, html].compactMap(\.self).filter { $0 != Self.standardOutput },
            replaceNoneOf: sources.map { $0.path ?? "/dev/stdin" })
    }

    /// Where it would be, whatever it is called: it need not be there yet.
    private static func place(of file: String) -> String {
        let path = file == standardOutput ? "/dev/stdout" : file
        // Foundation follows no link to nothing.
        let isThere = FileManager.default.fileExists(atPath: path)
        let url = URL(fileURLWithPath: isThere ? path : FileAccess.end(ofLinks: path) ?? path)
        let folder = url.deletingLastPathComponent().resolvingSymlinksInPath()
        return folder.appendingPathComponent(url.lastPathComponent).resolvingSymlinksInPath().standardizedFileURL.path
    }

    /// People get a table, unless standard output is for a program.
    /// - Parameter results: one, or of `--overhead` two.
    func write(_ results: [BenchResult], _ plan: BenchPlan, _ console: Console) throws {
        let (percentile, limit) = (plan.timing.percentile, plan.latencyLimit)
        func page(_ result: BenchResult) -> String { HTMLReport.text(result, percentile: percentile, limit: limit) }
        let reports: [(file: String?, text: () throws -> String)] = [
            (json, { try results.map { try $0.json() + "\n" }.joined() }),
            (csv, { results.map(CSVReport.text).joined() }), (html, { results.map(page).joined() }),
        ]
        if !reports.contains(where: { $0.file == Self.standardOutput }) {
            var texts = results.map { BenchReport.text($0, percentile: percentile, limit: limit) }
            if plan.isOverhead, let overhead = Overhead(results) {
                texts.append(OverheadText.lines(overhead).joined(separator: "\n"))
            }
            try console.print(texts.joined(separator: "\n\n"))
        }
        var trouble: Fatal?
        for (file, text) in reports {
            guard let file else { continue }
            let text = try text()
            guard file != Self.standardOutput else {
                try console.print(text.hasSuffix("\n") ? String(text.dropLast()) : text)
                continue
            }
            // The others are of use without it.
            if let reason = FileAccess.write(text, to: file), trouble == nil {
                trouble = Fatal("cannot write \(file): \(reason)")
            }
        }
        if let trouble { throw trouble }
    }
}
