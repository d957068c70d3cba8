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

    @Test func changesAreSharesOfTheBase() throws {
        let comparison = Comparison([Self.result([100, 100, 100])], [Self.result([110, 110, 110])])
        let row = try #require(comparison.rows.first)
        #expect(abs(row.change - 0.1) < 1e-9 && row.margin == 0)
    }
}
