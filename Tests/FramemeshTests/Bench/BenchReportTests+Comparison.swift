import Bench
import Testing

@testable import framemesh

/// What `bench compare` says.
extension BenchReportTests {
    @Test func comparisonsAreATable() {
        let load = LoadDescription(.concurrency, callers: 2)
        let comparison = Comparison(
            [Self.result([Self.point(load, [100, 101, 99])])], [Self.result([Self.point(load, [120, 121, 119])])])
        let lines = ComparisonText.lines(comparison)
        #expect(lines.count == 6 && lines[1].contains("+20.0 %") && lines[1].hasSuffix("better"))
        #expect(lines[1].contains("3 and 3 windows"))
        #expect(lines[5].hasPrefix("note: windows of one run") && lines[5].contains("up to 10 % (--stability)"))
        #expect(lines[2].hasSuffix("no difference"))
        #expect(ComparisonText.json(comparison).first?.contains(#""verdict":"better""#) == true)
    }

    /// A script would take a run that was lost for a whole one.
    @Test func whatElseIsSaidOfAComparisonReachesScripts() {
        let (load, other) = (LoadDescription(.concurrency, callers: 2), LoadDescription(.concurrency, callers: 4))
        var gone = Self.result([Self.point(load, [100, 101, 99]), Self.point(other, [9, 9])])
        gone.error = "it is \"gone\""
        let json = ComparisonText.json(Comparison([Self.result([Self.point(load, [100, 101, 99])])], [gone]))
        #expect(json.filter { $0.contains(#""verdict":"#) }.count == 4)
        #expect(
            json.dropFirst(4).prefix(2) == [
                #"{"note":"only in one of them: concurrency 4"}"#,
                #"{"note":"of the second, 1 run ended before its time: it is \"gone\""}"#,
            ])
        #expect(json.count == 7 && json[6].hasPrefix(#"{"note":"windows of one run are no independent samples"#))
    }

    /// Of nothing there are no shares.
    @Test func whatWas0HasNoPercentage() throws {
        func run(_ failed: Int) -> BenchResult {
            var tally = Self.tally(100)
            for _ in 0..<failed { tally.record(FrameOutcome(.failed(cause: "a"), latency: .zero)) }
            let load = LoadDescription(.concurrency, callers: 2)
            return Self.result([BenchPoint(load, windows: [(tally, 1), (tally, 1)], isStable: true, trials: 2)])
        }
        let comparison = Comparison([run(0)], [run(5)])
        let line = try #require(ComparisonText.lines(comparison).first { $0.contains("failed or partial %") })
        #expect(line.contains("  new  ") && !line.contains("0.0 %"), "\(line)")
        let json = try #require(ComparisonText.json(comparison).first { $0.contains("failed or partial %") })
        #expect(json.contains(#""change":null"#), "\(json)")
    }
}
