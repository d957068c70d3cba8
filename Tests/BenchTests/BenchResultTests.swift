import Foundation
import Testing

@testable import Bench

@Suite struct BenchResultTests {
    private static let result: BenchResult = {
        var result = Samples.result([
            Samples.point(LoadDescription(.concurrency, callers: 4), [100, 110, 105], failed: 1),
            Samples.point(LoadDescription(.concurrency, callers: 8), [120, 121, 119], ms: 20),
        ])
        result.points[0].disturbances = [DisturbanceRecord(atSeconds: 1.5, text: "kill detector <7>")]
        return result
    }()

    @Test func whatIsWrittenIsRead() throws {
        let text = try Self.result.json()
        #expect(!text.contains("\n"))
        #expect(try BenchResult.read(Data(text.utf8)) == [Self.result])
        #expect(try BenchResult.read(Data("\(text)\n\(text)\n".utf8)).count == 2)
    }

    /// What an older version has written: there the way to the nodes and back had the name `fan_out`.
    @Test func formatTwoIsRead() throws {
        let text = try Self.result.json()
        let old = text.replacing(#""format":4"#, with: #""format":2"#).replacing(#","network":0.3"#, with: "")
        let read = try #require(try BenchResult.read(Data(old.utf8)).first)
        let server = try #require(read.points.first?.serverMs)
        #expect(server.network == 4.51 && server.fanOut == nil && server.merge == nil)
        #expect(read.points.first?.framesPerSecond == 105)
    }

    @Test func keysAreThoseThatScriptsRead() throws {
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(try Self.result.json().utf8)) as? [String: Any])
        let point = try #require((json["points"] as? [[String: Any]])?.first)
        #expect(point["frames_per_second"] as? Double == 105)
        #expect(point["answered"] as? Int == 315 && point["failed"] as? Int == 3)
        #expect(point["errors"] as? [String: Int] == ["<no> node": 3])
        let latency = try #require(point["latency_ms"] as? [String: Double])
        #expect(Set(latency.keys) == ["mean", "sd", "p50", "p90", "p95", "p99", "p999", "max"])
        #expect((point["stages_mean_ms"] as? [String: Double])?["detect.infer"] == 3)
        let server = try #require(point["server_ms"] as? [String: Double])
        #expect(server["network"] == 0.3 && server["fan_out"] == 4.51 && server["merge"] == 0.1)
        let process = try #require((point["processes"] as? [[String: Any]])?.first)
        #expect(process["resident_mb"] as? Double == 10)
        #expect(abs((process["cpu_seconds_per_thousand"] as? Double ?? 0) - 500.0 / 315) < 1e-9)
    }

    @Test func keysAreNamedInTheDocumentation() throws {
        var result = Self.result
        (result.bestConcurrency, result.capacity, result.endedInWarmUp) = (4, 100, true)
        (result.error, result.exitCode, result.engine, result.versions) = ("gone", 3, "opencv", [:])
        (result.points[0].isWithinLimit, result.points[0].error, result.points[0].wholeRun) = (true, "gone", WholeRun())
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(try result.json().utf8)) as? [String: Any])
        let point = try #require((json["points"] as? [[String: Any]])?.first)
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/bench.md"), encoding: .utf8)
        for key in Array(json.keys) + Array(point.keys) { #expect(page.contains("`\(key)`"), "\(key)") }
    }

    @Test(arguments: [
        ("", "there is no result"), ("{}", "line 1 is no result"), (#"{"format":99}"#, "line 1 has format 99, this"),
        (#"{"format":4}"#, "line 1 is a damaged result"), ("[]", "line 1 is no result"),
        ("no JSON", "line 1 is no JSON; a result is one line"), ("{\n \"format\": 2\n}", "line 1 is no JSON"),
    ])
    func whatIsNoResultIsSaid(_ text: String, _ words: String) {
        let error = #expect(throws: BenchResultError.self) {
            try BenchResult.read(Data(text.utf8))
        }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test func csvHasPerfAnalyzersColumns() {
        let lines = CSVReport.text(Self.result).split(separator: "\n").map(String.init)
        #expect(lines.count == 3)
        #expect(
            lines[0].hasPrefix(
                "Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,Server Compute Input,"
                    + "Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency"
            ))
        let cells = lines[1].split(separator: ",", omittingEmptySubsequences: false)
        #expect(cells.count == lines[0].split(separator: ",").count)
        // Microseconds: send, what all else leaves of 10 ms, queue, decode and preprocess, infer, postprocess and merge, receive.
        #expect(cells.prefix(9) == ["4", "105", "20", "5550", "100", "1000", "3000", "300", "30"])
    }

    @Test func partsOfTheCSVAddUpToTheMean() throws {
        var withoutClient = Samples.point(LoadDescription(.streams, callers: 1, perStream: 1), [100])
        withoutClient.clientMs = nil
        var atOnce = Samples.point(LoadDescription(.concurrency, callers: 1), [100])
        atOnce.serverMs?.infer = 20
        let points = [Samples.point(LoadDescription(.concurrency, callers: 1), [100]), withoutClient, atOnce]
        let lines = CSVReport.text(Samples.result(points)).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let mean = try #require(lines[0].firstIndex(of: "Avg latency"))
        let parts = lines.dropFirst().map { cells in (cells[2...8].compactMap { Int($0) }, Int(cells[mean])) }
        for (numbers, mean) in parts.prefix(2) { #expect(numbers.count == 7 && numbers.reduce(0, +) == mean) }
        // Stages at once are more than the whole; the way is no less than nothing.
        #expect(parts[2].0[1] == 0 && parts[2].0.reduce(0, +) == 21_450)
    }

    /// Whoever was refused at once was not answered quickly.
    @Test func aPointWithoutAnAnswerHasNoLatency() throws {
        let loads = [20.0, 40].map { LoadDescription(.rate, callers: 8, rate: $0, arrivals: .constant) }
        let points = [Samples.point(loads[0], [20]), Samples.point(loads[1], [0], failed: 40)]
        let lines = CSVReport.text(Samples.result(points)).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(lines[2].count == lines[0].count)
        for name in ["p50 latency", "p99 latency", "Avg latency", "Client Send"] {
            let column = try #require(lines[0].firstIndex { $0 == name })
            #expect(!lines[1][column].isEmpty && lines[2][column].isEmpty, "\(name)")
        }
    }

    /// Nor a window; the age of what had none is told as that, and compared as no latency.
    @Test func withoutAnAnswerThereIsNoLatencyInJSON() throws {
        var cut = CutFrames()
        cut.add(unanswered: .milliseconds(2389))
        let load = LoadDescription(.concurrency, callers: 4)
        let silent: (tally: Tally, seconds: Double) = (Samples.tally(0, ms: 0, failed: 3), 1)
        let point = BenchPoint(load, windows: [silent, silent], cut: cut, isStable: false, trials: 2)
        let half = BenchPoint(load, windows: [silent, (Samples.tally(5, ms: 10), 1)], isStable: false, trials: 2)
        let result = Samples.result([point, half])
        let text = try result.json()
        #expect(try BenchResult.read(Data(text.utf8)) == [result])
        let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let points = try #require(json?["points"] as? [[String: Any]])
        #expect(points[0]["latency_ms"] is NSNull && points[0]["distribution"] as? [Double] == [])
        #expect(points[0]["oldest_unanswered_ms"] as? Double == 2389)
        #expect((points[1]["latency_ms"] as? [String: Double])?["max"] == 10)
        let windows = try #require(points[1]["windows"] as? [[String: Any]])
        #expect(windows[0]["latency_ms"] is NSNull && windows[1]["latency_ms"] is [String: Double])
        let other = Samples.result([Samples.point(load, [100, 100, 100])])
        let row = try #require(Comparison([result], [other]).rows.first { $0.metric == "p99 ms" })
        #expect(row.samples == (1, 3) && row.base.mean == 10 && row.verdict == .unknown)
    }

    /// Without one of its stages a frame is quick.
    @Test func partialAnswersAreInEveryReport() throws {
        var point = Samples.point(LoadDescription(.concurrency, callers: 1), [100])
        (point.partial, point.partials) = (42, ["classify is missing": 42])
        let result = Samples.result([point])
        let rows = CSVReport.text(result).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let column = try #require(rows[0].firstIndex(of: "Partial"))
        #expect(rows[1].count == rows[0].count && rows[1][column] == "42")
        let page = HTMLReport.text(result)
        #expect(page.contains("<th>ok</th><th>partial</th>") && page.contains("<td>100</td><td>42</td>"))
        #expect(page.contains("<td>classify is missing</td>"))
    }

    /// An older program did not say why answers were partial.
    @Test func whyAnswersWerePartialMayBeUnknown() throws {
        let text = try Self.result.json().replacing(#""partials":{},"#, with: "")
        let read = try #require(try BenchResult.read(Data(text.utf8)).first)
        #expect(read.points.allSatisfy { $0.partials == nil && $0.partialsOutsideWindows.isEmpty })
    }

    /// Windows of different points do not end at the same times, and each ends a little late.
    @Test func numbersAlongTimeAreRound() throws {
        let points = [(1, 1.33), (2, 1.34)].map { callers, seconds in
            BenchPoint(
                LoadDescription(.concurrency, callers: callers),
                windows: Array(repeating: (Samples.tally(10, ms: 10), seconds), count: 3), isStable: true, trials: 3)
        }
        let plot = try Self.plot("Throughput over time", of: Samples.result(points))
        let halves = ["0", "0.5", "1", "1.5", "2", "2.5", "3", "3.5", "4"]
        #expect(Self.numbersAlong(plot) == halves + ["seconds"])
        #expect(SVGPlot.ticks(upTo: 10.01).map(\.text) == ["0", "2", "4", "6", "8", "10"])
        #expect(SVGPlot.ticks(upTo: 4).map(\.x) == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4])
        #expect(SVGPlot.ticks(upTo: 7000).map(\.text).suffix(2) == ["6000", "7000"])
    }

    @Test func aDisturbanceIsMarkedWhereItCame() throws {
        var point = Samples.point(LoadDescription(.concurrency, callers: 4), [100, 110, 105, 100])
        point.disturbances = [DisturbanceRecord(atSeconds: 1, text: "scale node to <2>")]
        let result = Samples.result([point])
        let plot = try Self.plot("Throughput over time", of: result)
        // From 64 to 624 are four seconds.
        #expect(plot.contains("<line class=\"mark c0\" x1=\"204\" x2=\"204\" "))
        #expect(plot.contains("<title>concurrency 4: at 1 s: scale node to &lt;2&gt;</title>"))
        let page = HTMLReport.text(result)
        #expect(page.contains("<td>concurrency 4</td><td>1</td><td>scale node to &lt;2&gt;</td><td>too short to say"))
        // It was asked for.
        #expect(page.contains("Disturbances") && !page.contains("What went wrong"))
    }

    /// Where there is no room, words are broken, and plots are scrolled.
    @Test func aNarrowPageShowsWordsAndLegibleNumbers() {
        let page = HTMLReport.text(Self.result)
        let words = "<table class=\"words\"><thead><tr><th>"
        for start in ["</th><th></th></tr></thead><tbody>\n<tr><td>processor", "load</th><th></th><th>how many</th>"] {
            #expect(page.contains(words + start))
        }
        #expect(page.components(separatedBy: "<table class=\"words\">").count == 4)
        #expect(page.components(separatedBy: "<div class=\"scroll\">\n<svg ").count == 5)
        // As wide as its own units: text of 12 px is 12 px high.
        #expect(page.contains("viewBox=\"0 0 640 300\"") && page.contains("min-width: 40rem; max-width: 60rem"))
    }

    private static func plot(_ title: String, of result: BenchResult) throws -> String {
        let plots = HTMLReport.text(result).components(separatedBy: "aria-label=")
        return try #require(plots.first { $0.hasPrefix("\"\(title)\"") })
    }

    /// With the name of the axis as the last.
    private static func numbersAlong(_ plot: String) -> [String] {
        plot.split(separator: "\n").filter { $0.contains("class=\"middle\"") }.compactMap {
            $0.split(separator: ">").dropFirst().first?.split(separator: "<").first.map(String.init)
        }
    }

    @Test func ratesAreNamedAsSuch() {
        let load = LoadDescription(.rate, callers: 8, rate: 62.5, arrivals: .constant)
        let lines = CSVReport.text(Samples.result([Samples.point(load, [60])])).split(separator: "\n")
        #expect(lines[0].hasPrefix("Request Rate,") && lines[1].hasPrefix("62.5,60,"))
    }

    /// The capacity that was found first is no rate and no factor, but what it reached.
    @Test func pointsUnderOverloadAreToldApart() {
        let factors = [0.5, 2]
        let rates = factors.map {
            LoadDescription(.rate, callers: 8, rate: 100 * $0, arrivals: .constant, factor: $0)
        }
        let cameras = factors.map { LoadDescription(.cameras, callers: 4, rate: 25 * $0, policy: "latest", factor: $0) }
        for loads in [rates, cameras] {
            let points = [LoadDescription(.concurrency, callers: 16)] + loads
            let result = Samples.result(points.map { Samples.point($0, [100, 100]) })
            let rows = CSVReport.text(result).split(separator: "\n").map { $0.split(separator: ",") }
            #expect(rows[0].first == "Request Rate" && rows.dropFirst().map(\.first) == ["100", "50", "200"])
            #expect(rows[2].contains("0.5") && rows[3].contains("2") && rows[1].last == "\"concurrency 16\"")
            let page = HTMLReport.text(result)
            #expect(page.contains("times the capacity") && !page.contains(">at once<"))
        }
    }

    /// A failure in the warm-up is in no window, but it is one.
    @Test func whatFailedOutsideOfTheWindowsIsTold() throws {
        var whole = WholeRun()
        for cause in ["<no> node", "<no> node", "gone"] {
            whole.record(FrameOutcome(.failed(cause: cause), latency: .zero))
        }
        for ending in [.ok, .partial(cause: "no classifier"), .dropped(cause: "old")] as [FrameOutcome.Ending] {
            whole.record(FrameOutcome(ending, latency: .zero))
        }
        whole.countOutOfOrder()
        var result = Samples.result([Samples.point(LoadDescription(.concurrency, callers: 4), [100], failed: 1)])
        #expect(result.failed == 1 && result.outOfOrder == 0 && result.points[0].errorsOutsideWindows.isEmpty)
        result.points[0].wholeRun = whole
        #expect(result.failed == 3 && result.outOfOrder == 1 && result.points[0].failed == 1)
        #expect(result.points[0].errorsOutsideWindows == ["<no> node": 1, "gone": 1])
        #expect(try BenchResult.read(Data(try result.json().utf8)) == [result])
        #expect(result.points[0].partialsOutsideWindows == ["no classifier": 1] && result.partial == 1)
        #expect(HTMLReport.text(result).contains("failed outside of the windows"))
        #expect(HTMLReport.text(result).contains("partial outside of the windows"))
        let rows = CSVReport.text(result).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        // It ended its stream for good.
        let column = try #require(rows[0].firstIndex(of: "Out of order"))
        #expect(rows[1][column] == "1")
        let json = try JSONSerialization.jsonObject(with: Data(try result.json().utf8)) as? [String: Any]
        let point = try #require((json?["points"] as? [[String: Any]])?.first)
        let told = try #require(point["whole_run"] as? [String: Any])
        #expect(told["answered"] as? Int == 2 && told["partial"] as? Int == 1 && told["failed"] as? Int == 3)
        #expect(told["dropped"] as? Int == 1 && told["out_of_order"] as? Int == 1)
        #expect(told["partials"] as? [String: Int] == ["no classifier": 1])
        #expect(told["errors"] as? [String: Int] == ["<no> node": 2, "gone": 1])
    }

    @Test func whatBuiltItAndWhatItAskedAreKnown() throws {
        var result = Self.result
        #expect(result.otherVersions.isEmpty)
        result.versions = ["coordinator": ["0.1.0"], "node": ["0.1.0", "0.2.0"]]
        #expect(result.otherVersions.map(\.role) == ["node"])
        #expect(try BenchResult.read(Data(try result.json().utf8)) == [result])
        let json = try JSONSerialization.jsonObject(with: Data(try result.json().utf8)) as? [String: Any]
        #expect(json?["versions"] as? [String: [String]] == result.versions)
        let environment = try #require(json?["environment"] as? [String: Any])
        #expect(environment["compilers"] as? [String] == ["Swift 6.3.1", "Clang 21.0.0 (a1b2)"])
        let page = HTMLReport.text(result)
        #expect(page.contains("Swift 6.3.1, Clang 21.0.0<") && page.contains("0.1.0, 0.2.0"))
    }

    @Test func whatEndedARunIsInItsReports() throws {
        var result = Self.result
        result.error = "the coordinator is gone"
        #expect(try BenchResult.read(Data(try result.json().utf8)) == [result])
        #expect(HTMLReport.text(result).contains("was not measured: the coordinator is gone"))
    }

    /// As in the table for people.
    @Test(arguments: [
        (true, false, "yes"), (false, false, "no"), (true, true, "interrupted"), (false, true, "interrupted"),
    ])
    func aPointThatWasCutShortIsNeitherStableNorNot(_ isStable: Bool, _ isInterrupted: Bool, _ mark: String) {
        var point = Samples.point(LoadDescription(.concurrency, callers: 4), [100, 110])
        (point.isStable, point.isInterrupted) = (isStable, isInterrupted)
        let page = HTMLReport.text(Samples.result([point]))
        for other in ["yes", "no", "interrupted"] { #expect(page.contains("<td>\(other)</td>") == (other == mark)) }
        #expect(page.contains("Unstable: 1 of 1.") == (mark == "no"))
        #expect(page.contains("The run was ended before its time.") == isInterrupted)
    }

    @Test func thePageStandsAloneAndEscapes() throws {
        let page = HTMLReport.text(Self.result)
        for foreign in ["<script", "http://", "https://", "<link", "src=", "<no>", "<7>"] {
            #expect(!page.contains(foreign), "\(foreign)")
        }
        #expect(page.contains("&lt;no&gt; node") && page.contains("prefers-color-scheme: dark"))
        // Throughput, latency, its distribution, and over time.
        #expect(page.components(separatedBy: "<svg ").count == 5)
        #expect(page.contains("Where the time goes") && page.contains("What went wrong"))
        #expect(!page.contains("nan") && !page.contains("inf\""))
        // What is no XML cannot be a good page either: tags are balanced.
        let body = try #require(page.components(separatedBy: "<body>").last)
        for tag in ["table", "tr", "td", "svg", "text", "p", "h2", "div"] {
            let (open, closed) = (
                body.components(separatedBy: "<\(tag)>").count + body.components(separatedBy: "<\(tag) ").count - 1,
                body.components(separatedBy: "</\(tag)>").count
            )
            #expect(open == closed, "\(tag)")
        }
    }

    @Test func anEmptyResultIsAPageToo() {
        let page = HTMLReport.text(Samples.result([]))
        #expect(page.contains("Some CPU @ 2 GHz") && !page.contains("<svg"))
        #expect(CSVReport.text(Samples.result([])).split(separator: "\n").count == 1)
    }

    /// As much as one frame in many minutes.
    @Test func numbersOfLittleAreNot0() {
        let line = SVGPlot.Line(name: "l", points: [(1, 0.04), (2, 0.01)])
        let plot = SVGPlot(title: "t", xName: "x", yName: "y", lines: [line]).svg
        for number in ["0.008", "0.016", "0.024", "0.032", "0.04"] { #expect(plot.contains(">\(number)</text>")) }
        let least = LoadDescription(.rate, callers: 8, rate: 0.001, arrivals: .constant, factor: 0.001)
        #expect(least.text == "0.001 × capacity, 0.001 frames/s constant")
        // Points of one sweep have names of their own.
        let rates = [0.0015, 0.002, 0.012, 0.0125, 10.0 / 3].map { LoadDescription(.rate, callers: 8, rate: $0) }
        #expect(rates.map { $0.text.prefix { $0 != " " } } == ["0.0015", "0.002", "0.012", "0.0125", "3.333"])
        let lines = CSVReport.text(Samples.result([Samples.point(rates[0], [1])])).split(separator: "\n")
        #expect(lines[1].hasPrefix("0.0015,1,"))
    }

    /// Of low rates, of a small multiple beside a large one, of what is nearly the same, and of what is alone.
    @Test(
        arguments: [
            ([0.001, 0.004, 0.0075], ["0.001", "0.004", "0.0075"]), ([0.004, 4, 10], ["0.004", "4", "10"]),
            ([100, 100.001, 100.002], ["100", "100.001", "100.002"]), ([0.1 + 0.2], ["0.3"]),
            ([1, 4, 8], ["1", "4", "8"]), ([0, 0.5], ["0", "0.5"]),
        ] as [([Double], [String])])
    func numbersAlongAPlotHaveAsManyDigitsAsTheyNeed(_ xs: [Double], _ numbers: [String]) {
        let line = SVGPlot.Line(name: "l", points: xs.map { ($0, 1) })
        let plot = SVGPlot(title: "t", xName: "x", yName: "y", lines: [line]).svg
        #expect(Self.numbersAlong(plot) == numbers + ["x"])
    }

    /// Where a point lies is nobody's concern.
    @Test func pointsOfTheDistributionSayTheirPercentile() throws {
        let point = Samples.point(LoadDescription(.concurrency, callers: 4), [100, 110])
        let plot = try Self.plot("Latency by percentile", of: Samples.result([point]))
        let places = plot.components(separatedBy: "<circle ").dropFirst().compactMap { circle in
            circle.components(separatedBy: "cx=\"").last?.split(separator: "\"").first.flatMap { Double($0) }
        }
        #expect(places.count == LatencyHistogram.curve.count && places == places.sorted())
        for percentile in ["0", "50", "99", "99.95", "100"] { #expect(plot.contains(" at \(percentile)</title>")) }
        // As far from each other, from 64 to 624.
        #expect(places.first == 64 && places.last == 624)
        let tens = [90.0, 99, 99.9].compactMap { LatencyHistogram.curve.firstIndex(of: $0) }.map { places[$0] }
        #expect(abs((tens[1] - tens[0]) - (tens[2] - tens[1])) < 0.3)
    }

    @Test func axesEndAtRoundNumbers() {
        let ends = [0, 0.5, 1, 1.1, 9, 47, 101, 1000].map { SVGPlot.rounded($0) }
        #expect(ends == [1, 0.5, 1, 1.5, 10, 50, 150, 1000])
    }
}
