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
        let new = [Self.result([115, 115, 115]), Self.result([155, 155, 155])]
        #expect(Self.verdicts([base[0]], [new[0]])["frames/s"] == .better)
        #expect(Self.verdicts(base, new)["frames/s"] == .noDifference)
    }

    /// As of `--overload 2,1,2`.
    @Test func pointsOfOneRunAreNoRuns() {
        func run(_ rate: Int) -> BenchResult {
            Samples.result([Samples.point(Self.load, [rate, rate]), Samples.point(Self.load, [rate + 1, rate + 1])])
        }
        let rows = Comparison([run(100)], [run(105)]).rows
        let ofProcesses = rows.filter { $0.metric.hasPrefix("CPU") }
        #expect(ofProcesses.count == 1 && ofProcesses.allSatisfy { $0.verdict == .unknown && $0.probability == nil })
        let others = rows.filter { !$0.metric.hasPrefix("CPU") }
        #expect(others.count == 4 && others.allSatisfy { !$0.areRuns && $0.samples == (4, 4) })
        #expect(others.allSatisfy { $0.verdict == .noDifference })
        let several = Comparison([run(100), run(100)], [run(105), run(105)]).rows
        #expect(several.count == 5 && several.allSatisfy { $0.areRuns && $0.samples == (2, 2) })
        #expect(several.first?.base.mean == 100.5 && several.first?.verdict == .better)
        // Runs that differ as much as these: that each says it twice makes nothing surer.
        #expect(Self.verdicts([run(100), run(110)], [run(125), run(135)])["frames/s"] == .noDifference)
    }

    /// `--overhead` has a node's beside the mesh's.
    @Test func resultsOfOtherModesAreLeftOut() {
        func both(_ mesh: [Int]) -> [BenchResult] {
            var node = Self.result([900, 901, 899])
            node.mode = "node"
            return [node, Self.result(mesh)]
        }
        let comparison = Comparison(both([100, 101, 99]), both([50, 51, 49]))
        #expect(comparison.rows.first { $0.metric == "frames/s" }?.verdict == .worse)
        #expect(comparison.rows.allSatisfy { $0.metric.hasPrefix("CPU") || !$0.areRuns })
        #expect(comparison.warnings.contains { $0.hasPrefix("only results of the mode") })
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
        let rows = Comparison([overload(100)], [overload(117)]).rows
        #expect(rows.count == 5 && rows.allSatisfy { $0.load.text == "2 × capacity, poisson" })
        let cameras = LoadDescription(.cameras, callers: 4, rate: 25, policy: "latest", factor: 2)
        #expect(cameras.text == "2 × capacity, 4 × 25 frames/s latest")
        #expect(cameras.comparable.text == "2 × capacity, 4 × camera latest")
    }

    @Test func whatElseDiffersIsSaid() {
        var other = Samples.result([Samples.point(Self.load, [1, 1, 1])], pipeline: "classify")
        other.environment.cores = 4
        other.configuration["window"] = "5"
        other.points[0].isStable = false
        let warnings = Comparison([Self.result([1, 1, 1])], [other]).warnings
        #expect(warnings.count == 4, "\(warnings)")
        for words in [
            "pipeline", "number of cores differs: the first has 2; the second has 4",
            "--window differs: the first has 1; the second has 5", "unstable",
        ] {
            #expect(warnings.contains { $0.contains(words) }, "\(words)")
        }
    }

    /// What an older program did not say does not differ.
    @Test func otherVersionsAndCompilersAreSaid() {
        var (base, new) = (Self.result([1, 1, 1]), Self.result([1, 1, 1]))
        (base.versions, new.versions) = (["node": ["1"], "gateway": ["1"]], ["node": ["1", "2"], "gateway": ["1"]])
        new.environment.compilers = ["Swift 6.4"]
        #expect(
            Comparison([base], [new]).warnings == [
                "the pair of compilers differs: the first has Swift 6.3.1, Clang 21.0.0 (a1b2); the second has Swift 6.4",
                "the version of the node differs: the first has 1; the second has 1, 2",
            ])
        (base.versions, base.environment.compilers) = (nil, nil)
        #expect(Comparison([base], [new]).warnings.isEmpty)
    }

    @Test func severalRunsInOneFileAreOfTheSame() {
        var other = Self.result([1, 1, 1])
        other.engine = "opencv"
        let warnings = Comparison([Self.result([1, 1, 1]), other], [other]).warnings
        #expect(warnings == ["the engine differs within the first: none; opencv"])
    }

    @Test func listsAndVariablesAreToldApart() {
        var (base, new) = (Self.result([1, 1, 1]), Self.result([1, 1, 1]))
        (base.models, new.models) = (["a", "b"], ["c"])
        new.configuration["FRAMEMESH_MODELS"] = "/m"
        #expect(
            Comparison([base], [new]).warnings == [
                "the models differ: the first has a, b; the second has c",
                "the variable FRAMEMESH_MODELS differs: the first has none; the second has /m",
            ])
        #expect(
            Comparison([base, new], [new]).warnings.prefix(1) == ["the models differ within the first: a, b; c"])
    }

    /// Refusals are quick: more frames a second and shorter latencies do not make up for them.
    @Test func moreFailuresAreWorse() {
        func failing(_ count: Int) -> BenchResult {
            Samples.result([Samples.point(Self.load, [100, 101, 99], failed: count)])
        }
        let name = "failed or partial %"
        #expect(Self.verdicts([failing(0)], [failing(20)])[name] == .worse)
        #expect(Self.verdicts([failing(20)], [failing(0)])[name] == .better)
        #expect(Self.verdicts([failing(5)], [failing(5)])[name] == .noDifference)
        #expect(Self.verdicts([failing(0)], [failing(0)])[name] == nil)
    }

    /// Without one of its stages a frame is quick.
    @Test func morePartialAnswersAreWorse() throws {
        func partial(_ count: Int) -> BenchResult {
            var tally = Samples.tally(100 - count, ms: 10)
            for _ in 0..<count { tally.record(FrameOutcome(.partial(cause: "a"), latency: .milliseconds(10))) }
            return Samples.result([
                BenchPoint(Self.load, windows: [(tally, 1), (tally, 1), (tally, 1)], isStable: true, trials: 3)
            ])
        }
        let row = try #require(Comparison([partial(0)], [partial(20)]).rows.first { $0.metric.hasPrefix("failed") })
        #expect(row.verdict == .worse && row.new.mean == 20 && row.base.mean == 0)
        #expect(row.change == nil && row.margin == nil)
        // An older program kept them of the whole point only.
        var (old, clean) = (partial(20), partial(0))
        for index in 0..<3 {
            old.points[0].windows[index].partial = nil
            clean.points[0].windows[index].partial = nil
        }
        for verdicts in [Self.verdicts([old], [partial(20)]), Self.verdicts([partial(20)], [old])] {
            #expect(verdicts["failed or partial %"] == nil && verdicts["frames/s"] == .noDifference)
        }
        #expect(Self.verdicts([clean], [partial(20)])["failed or partial %"] == .worse)
    }

    /// 36 pairs of runs of the same program, each of whose windows share the state that the machine was in.
    @Test func runsOfTheSameProgramDoNotDiffer() {
        var chance = SeededGenerator(seed: 7)
        var surest = 1.0
        for _ in 0..<36 {
            func run() -> BenchResult {
                let state = Double.random(in: 970...1030, using: &chance)
                return Self.result((0..<3).map { _ in Int(state + Double.random(in: -3...3, using: &chance)) })
            }
            let comparison = Comparison([run()], [run()])
            let rows = comparison.rows.filter { !$0.areRuns }
            #expect(rows.count == 4 && rows.allSatisfy { $0.verdict == .noDifference })
            surest = rows.compactMap(\.probability).reduce(surest, min)
            // Of several runs these would be changes.
            #expect(comparison.stability == 0.1)
        }
        // So the statistical test alone would have called some different.
        #expect(surest < 0.001)
        #expect(
            Self.verdicts([Self.result([1000, 1003, 997])], [Self.result([1103, 1100, 1106])])["frames/s"] == .better)
    }

    @Test func whatARunCallsTheSameIsNoChange() {
        func verdict(_ stability: String?, _ other: String?) -> Comparison.Verdict? {
            var (base, new) = (Self.result([1000, 1001, 999]), Self.result([1150, 1151, 1149]))
            base.configuration["stability"] = stability
            new.configuration["stability"] = other
            return Self.verdicts([base], [new])["frames/s"]
        }
        #expect(verdict(nil, nil) == .better && verdict("20.0", "5.0") == .noDifference)
        #expect(verdict("5.0", "20.0") == .noDifference && verdict("14.0", "14.0") == .better)
    }

    @Test func rolesThatBothHaveAreComparedByTheirTime() throws {
        func run(_ seconds: Double, _ role: String = "coordinator") -> BenchResult {
            var result = Self.result([1000])
            result.points[0].processes = ["bench", role, role].map {
                ProcessRecord(
                    name: $0, pid: 1,
                    usage: [0, $0 == role ? seconds / 2 : 1].map { ProcessUsage(cpuSeconds: $0, residentBytes: 0) },
                    frames: 1000)
            }
            return result
        }
        let name = "CPU s/1,000 frames of coordinator"
        let comparison = Comparison([run(1), run(1.1), run(0.9)], [run(2), run(2.1), run(1.9)])
        let row = try #require(comparison.rows.first { $0.metric == name })
        #expect(row.verdict == .worse && abs(row.new.mean - 2) < 1e-9 && row.areRuns && row.samples == (3, 3))
        let one = Comparison([run(1)], [run(2)]).rows
        #expect(one.first { $0.metric == name }?.verdict == .unknown)
        let others = Comparison([run(1)], [run(2, "gateway")]).rows.map(\.metric)
        #expect(!others.contains(name) && others.contains("CPU s/1,000 frames of bench"))
    }

    @Test func overheadIsWhatTheCoordinatorAdds() throws {
        func result(_ rate: Int, ms: Double, _ seconds: [(String, Double)]) -> BenchResult {
            var result = Self.result([rate], ms: ms)
            result.points[0].processes = seconds.map { name, seconds in
                let usage = [0, seconds].map { ProcessUsage(cpuSeconds: $0, residentBytes: 0) }
                return ProcessRecord(name: name, pid: 1, usage: usage, frames: 1000)
            }
            return result
        }
        let direct = result(1000, ms: 1, [("node", 0.25), ("coordinator", 0.125)])
        let through = result(800, ms: 1.5, [("node", 0.125), ("node", 0.25), ("coordinator", 0.625), ("bench", 1)])
        let overhead = try #require(Overhead([direct, through]))
        #expect(overhead.direct.processor == ["node": 250, "coordinator": 125])
        let added = overhead.added
        #expect(added.framesPerSecond == -200 && abs(added.mean - 0.5) < 1e-9 && abs(added.p50 - 0.5) < 0.01)
        #expect(added.processor == ["node": 125, "coordinator": 500, "bench": 1000])
        #expect(Overhead([direct]) == nil && Overhead([direct, Self.result([0])]) == nil)
    }

    @Test func whatNoWindowShowsIsSaid() {
        var stuck = Self.result([1, 1, 1])
        stuck.points[0].oldestUnansweredMs = 5000
        stuck.points[0].unanswered = 1
        var failing = Self.result([1, 1, 1])
        var whole = WholeRun()
        whole.record(FrameOutcome(.failed(cause: "a"), latency: .zero))
        whole.record(FrameOutcome(.partial(cause: "b"), latency: .zero))
        failing.points[0].wholeRun = whole
        let warnings = Comparison([stuck], [failing]).warnings
        #expect(warnings.count == 3, "\(warnings)")
        #expect(
            warnings.contains {
                $0
                    == "of the first, 1 point had frames without an answer at the end, the oldest after 5000 ms, which no "
                    + "window shows"
            })
        #expect(warnings.contains { $0 == "of the second, 1 point had failures that no window shows" })
        #expect(warnings.contains { $0 == "of the second, 1 point had partial answers that no window shows" })
    }

    @Test func aRunThatEndedBeforeItsTimeIsSaid() {
        var (stopped, gone) = (Self.result([1, 1, 1]), Self.result([1, 1, 1]))
        stopped.points[0].isInterrupted = true
        gone.error = "it is gone"
        #expect(
            Comparison([stopped], [gone]).warnings == [
                "of the first, 1 run ended before its time", "of the second, 1 run ended before its time: it is gone",
            ])
        #expect(
            Comparison([stopped, stopped], [Self.result([1, 1, 1])]).warnings == [
                "of the first, 2 runs ended before their time"
            ])
    }

    /// Nothing of it is missing but answers.
    @Test func aRunThatEndedBehindItsLastWindowIsSaid() {
        var gone = Self.result([1, 1, 1])
        gone.error = "it is gone"
        gone.points[0].error = gone.error
        #expect(
            Comparison([gone, gone], [gone]).warnings == [
                "of the first, 2 runs ended with an error behind their last windows: it is gone",
                "of the second, 1 run ended with an error behind its last window: it is gone",
            ])
    }

    /// The last window of a run that was interrupted may be a moment long.
    @Test func windowsThatWereCutShortAreNoSamples() throws {
        var cut = Self.result([100, 101, 99, 1])
        cut.points[0].isInterrupted = true
        let row = try #require(Comparison([cut], [Self.result([120, 121, 119])]).rows.first)
        #expect(row.samples == (3, 3) && !row.areRuns && row.base.mean == 100 && row.verdict == .better)
    }

    /// Of several runs, one that was ended a moment after its begin.
    @Test func aRunWithoutAWholeWindowIsNoSample() throws {
        var cut = Self.result([1])
        cut.points[0].isInterrupted = true
        let base = [Self.result([100]), Self.result([101]), Self.result([99]), cut]
        let new = [Self.result([120]), Self.result([121]), Self.result([119])]
        let row = try #require(Comparison(base, new).rows.first)
        #expect(row.samples == (3, 3) && row.areRuns && row.base.mean == 100 && row.verdict == .better)
        let alone = Comparison([cut], new)
        #expect(alone.rows.isEmpty && alone.cutShort == [Self.load] && alone.unmatched.isEmpty)
        #expect(Comparison([cut], [cut]).cutShort == [Self.load])
        let other = Samples.result([Samples.point(LoadDescription(.concurrency, callers: 8), [1])])
        #expect(Set(Comparison([cut], [other]).unmatched.map(\.callers)) == [Self.load.callers, 8])
    }

    @Test func changesAreSharesOfTheBase() throws {
        let comparison = Comparison([Self.result([100, 100, 100])], [Self.result([110, 110, 110])])
        let row = try #require(comparison.rows.first)
        #expect(abs(try #require(row.change) - 0.1) < 1e-9)
        // Windows of a second know their rate to a frame: ± t(4) of √(2/3 · 1/12).
        #expect(abs(try #require(row.margin) - 2.77645 * 0.2357 / 100) < 1e-4)
    }

    /// Latencies that fall into the next bucket of the histogram in all windows: nothing else has changed.
    @Test func roundingDecidesNothing() {
        let (base, new) = (Self.result([1000, 1000, 1000], ms: 100), Self.result([1001, 1001, 1001], ms: 100.1))
        for change in [Comparison.leastChange, 0] {
            let rows = Comparison([base], [new], leastChange: change).rows.filter { !$0.areRuns }
            #expect(rows.count == 4 && rows.allSatisfy { $0.verdict == .noDifference }, "\(change)")
        }
    }

    @Test func changesThatDoNotMatterAreNone() {
        let (base, new) = ([10_000, 10_001, 9999], [10_050, 10_051, 10_049])
        func verdict(_ least: Double) -> Comparison.Verdict? {
            Comparison(base.map { Self.result([$0]) }, new.map { Self.result([$0]) }, leastChange: least).rows.first?
                .verdict
        }
        #expect(verdict(Comparison.leastChange) == .noDifference && verdict(0.004) == .better)
    }

    /// A change that would be sure if it were the only one that is looked at.
    @Test func manyRowsNeedMore() {
        let loads = (1...8).map { LoadDescription(.concurrency, callers: $0) }
        func result(_ first: [Int], _ rest: [Int]) -> BenchResult {
            Samples.result(loads.map { Samples.point($0, $0.callers == 1 ? first : rest) })
        }
        let (base, new) = (result([100, 103, 97], [100, 110, 90]), result([112, 115, 109], [100, 110, 90]))
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
