import Testing

@testable import Bench

@Suite struct ComparisonTests {
    private static let load = LoadDescription(.concurrency, callers: 4)

    private static func verdicts(_ base: [BenchResult], _ new: [BenchResult]) -> [String: Comparison.Verdict] {
        Dictionary(Comparison(base, new).rows.map { ($0.metric, $0.verdict) }) { first, _ in first }
    }

    private static func result(_ rates: [Int], ms: Double = 10) -> BenchResult {
        Samples.result([Samples.point(load, rates, ms: ms)])
    }

    @Test func moreFramesAreBetterAndLongerLatenciesWorse() {
        let verdicts = Self.verdicts([Self.result([100, 101, 99])], [Self.result([120, 121, 119], ms: 12)])
        #expect(verdicts["frames/s"] == .better && verdicts["mean ms"] == .worse && verdicts["p99 ms"] == .worse)
    }

    @Test func withinTheNoiseThereIsNoDifference() {
        let verdicts = Self.verdicts([Self.result([100, 120, 80])], [Self.result([104, 125, 83])])
        #expect(verdicts["frames/s"] == .noDifference && verdicts["mean ms"] == .noDifference)
    }

    @Test func oneWindowTellsNothing() {
        #expect(Self.verdicts([Self.result([100])], [Self.result([200])])["frames/s"] == .unknown)
    }

    /// Windows of each run agree to a frame, the runs do not: only as samples of their own they say so.
    @Test func severalRunsAreTheSamples() {
        let base = [Self.result([100, 100, 100]), Self.result([140, 140, 140])]
        let new = [Self.result([110, 110, 110]), Self.result([150, 150, 150])]
        #expect(Self.verdicts([base[0]], [new[0]])["frames/s"] == .better)
        #expect(Self.verdicts(base, new)["frames/s"] == .noDifference)
    }

    @Test func loadsThatOnlyOneHasAreNamed() {
        let other = LoadDescription(.concurrency, callers: 8)
        let comparison = Comparison(
            [Samples.result([Samples.point(Self.load, [1, 1])])], [Samples.result([Samples.point(other, [1, 1])])])
        #expect(comparison.rows.isEmpty && Set(comparison.unmatched) == [Self.load, other])
    }

    @Test func underOverloadTheFactorIsTheLoad() {
        func overload(_ rate: Double) -> BenchResult {
            let load = LoadDescription(.rate, callers: 8, rate: rate, arrivals: .poisson, factor: 2)
            return Samples.result([Samples.point(load, [50, 51, 52])])
        }
        #expect(Comparison([overload(100)], [overload(117)]).rows.count == 4)
    }

    @Test func whatElseDiffersIsSaid() {
        var other = Samples.result([Samples.point(Self.load, [1, 1, 1])], pipeline: "classify")
        other.environment.cores = 4
        other.configuration["window"] = "5"
        other.points[0].isStable = false
        let warnings = Comparison([Self.result([1, 1, 1])], [other]).warnings
        #expect(warnings.count == 4, "\(warnings)")
        for words in ["pipeline", "number of cores differs: 2 and 4", "--window differs: 1 and 5", "unstable"] {
            #expect(warnings.contains { $0.contains(words) }, "\(words)")
        }
    }

    @Test func severalRunsInOneFileAreOfTheSame() {
        var other = Self.result([1, 1, 1])
        other.engine = "opencv"
        let warnings = Comparison([Self.result([1, 1, 1]), other], [other]).warnings
        #expect(warnings == ["the engine differs within the first: none, opencv"])
    }

    /// Refusals are quick: more frames a second and shorter latencies do not make up for them.
    @Test func moreFailuresAreWorse() {
        func failing(_ count: Int) -> BenchResult {
            Samples.result([Samples.point(Self.load, [100, 101, 99], failed: count)])
        }
        #expect(Self.verdicts([failing(0)], [failing(20)])["failed %"] == .worse)
        #expect(Self.verdicts([failing(20)], [failing(0)])["failed %"] == .better)
        #expect(Self.verdicts([failing(5)], [failing(5)])["failed %"] == .noDifference)
        #expect(Self.verdicts([failing(0)], [failing(0)])["failed %"] == nil)
    }

    /// The last window of a run that was interrupted may be a moment long.
    @Test func windowsThatWereCutShortAreNoSamples() throws {
        var cut = Self.result([100, 101, 99, 1])
        cut.points[0].isInterrupted = true
        let row = try #require(Comparison([cut], [Self.result([120, 121, 119])]).rows.first)
        #expect(row.samples == (3, 3) && !row.areRuns && row.base.mean == 100 && row.verdict == .better)
    }

    @Test func changesAreSharesOfTheBase() throws {
        let comparison = Comparison([Self.result([100, 100, 100])], [Self.result([110, 110, 110])])
        let row = try #require(comparison.rows.first)
        #expect(abs(row.change - 0.1) < 1e-9)
        // Windows of a second know their rate to a frame: ± t(4) of √(2/3 · 1/12).
        #expect(abs(try #require(row.margin) - 2.77645 * 0.2357 / 100) < 1e-4)
    }

    /// Latencies that fall into the next bucket of the histogram in all windows: nothing else has changed.
    @Test func roundingDecidesNothing() {
        let (base, new) = (Self.result([1000, 1000, 1000], ms: 100), Self.result([1001, 1001, 1001], ms: 100.1))
        for change in [Comparison.leastChange, 0] {
            let rows = Comparison([base], [new], leastChange: change).rows
            #expect(rows.count == 4 && rows.allSatisfy { $0.verdict == .noDifference }, "\(change)")
        }
    }

    @Test func changesThatDoNotMatterAreNone() {
        let (base, new) = (Self.result([10_000, 10_001, 9999]), Self.result([10_050, 10_051, 10_049]))
        func verdict(_ least: Double) -> Comparison.Verdict? {
            Comparison([base], [new], leastChange: least).rows.first?.verdict
        }
        #expect(verdict(Comparison.leastChange) == .noDifference && verdict(0.004) == .better)
    }

    /// A change that would be sure if it were the only one that is looked at.
    @Test func manyRowsNeedMore() {
        let loads = (1...8).map { LoadDescription(.concurrency, callers: $0) }
        func result(_ first: [Int], _ rest: [Int]) -> BenchResult {
            Samples.result(loads.map { Samples.point($0, $0.callers == 1 ? first : rest) })
        }
        let (base, new) = (result([100, 102, 98], [100, 110, 90]), result([109, 111, 107], [100, 110, 90]))
        func verdict(of points: Int) -> Comparison.Verdict? {
            func some(_ result: BenchResult) -> BenchResult { Samples.result(Array(result.points.prefix(points))) }
            return Comparison([some(base)], [some(new)]).rows.first?.verdict
        }
        #expect(verdict(of: 1) == .better && verdict(of: 8) == .noDifference)
    }

    @Test func holmMultipliesTheLeastMost() {
        let adjusted = HolmCorrection.adjusted([0.01, 0.04, 0.03, 0.005])
        for (value, expected) in zip(adjusted, [0.03, 0.06, 0.06, 0.02]) { #expect(abs(value - expected) < 1e-12) }
        #expect(HolmCorrection.adjusted([]).isEmpty && HolmCorrection.adjusted([0.6, 0.9]) == [1, 1])
    }
}
