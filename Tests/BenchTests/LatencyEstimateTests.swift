import Testing

@testable import Bench

@Suite struct LatencyEstimateTests {
    private static func histogram(_ latencies: [Int]) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for latency in latencies { histogram.record(.milliseconds(latency)) }
        return histogram
    }

    private static func figures(answered: [Int], unanswered: [Int] = [], begun: [Int] = []) -> LatencyFigures {
        var cut = CutFrames()
        for age in unanswered { cut.add(unanswered: .milliseconds(age)) }
        for age in begun { cut.add(begun: .milliseconds(age)) }
        return LatencyEstimate(answered: histogram(answered), cut).figures
    }

    private static func isNear(_ value: Double, _ expected: Double) -> Bool {
        abs(value - expected) <= expected / 500 + 1e-6
    }

    @Test func ofWhatWasSeenWholeItIsWhatTheHistogramSays() {
        let latencies = Array(1...1000)
        let (estimate, exact) = (Self.figures(answered: latencies), Self.histogram(latencies).figures)
        for (value, expected) in [
            (estimate.mean, exact.mean), (estimate.sd, exact.sd), (estimate.p50, exact.p50), (estimate.p99, exact.p99),
            (estimate.p999, exact.p999), (estimate.max, exact.max),
        ] {
            #expect(Self.isNear(value, expected), "\(value) \(expected)")
        }
    }

    /// The textbook's example: survival 6-mercaptopurine, weeks to relapse (Freireich and others, 1963), of which it is known that half
    /// of the patients had none for 23 weeks.
    @Test func theProductLimitIsThatOfTheTextbook() {
        let figures = Self.figures(
            answered: [6, 6, 6, 7, 10, 13, 16, 22, 23], unanswered: [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
        #expect(Self.isNear(figures.p50, 23))
        // 0.448 of them had none until the end of the study: the rest is at least as long as the longest.
        #expect(Self.isNear(figures.p90, 35) && Self.isNear(figures.max, 35))
    }

    /// What hangs is in none of the answers, and must not be hidden by them.
    @Test func aStuckFrameIsAtLeastAsSlowAsItIsOld() {
        let figures = Self.figures(answered: Array(repeating: 10, count: 500), unanswered: [3, 7, 60_000, 60_000])
        #expect(Self.isNear(figures.p50, 10) && Self.isNear(figures.p99, 10))
        #expect(Self.isNear(figures.p999, 60_000) && Self.isNear(figures.max, 60_000))
    }

    /// In a closed loop some are always on their way, half as old as they become: that makes no frame quicker.
    @Test func framesThatAreOnTheirWayDoNotMakeTheOthersQuicker() {
        let ages = (0..<64).map { $0 * 20 }
        let figures = Self.figures(answered: Array(repeating: 1280, count: 200), unanswered: ages)
        #expect(Self.isNear(figures.p50, 1280) && Self.isNear(figures.mean, 1280))
    }

    /// Short and long frames by turns, watched for a time in which few long ones begin and end: those that had begun before
    /// count from then on, or the long ones would be too many.
    @Test func whatHadBegunBeforeCountsFromThenOn() {
        // Of ten short ones and ten long ones that ended, the long ones had begun 500 ms before the begin; ten more had no answer.
        let short = Array(repeating: 10, count: 10)
        let long = Array(repeating: 1000, count: 10)
        let cut = Array(repeating: 500, count: 10)
        #expect(Self.isNear(Self.figures(answered: short + long, unanswered: cut, begun: cut).p50, 10))
        #expect(Self.isNear(Self.figures(answered: short + long, unanswered: cut).p50, 1000))
    }

    @Test func nothingAnsweredIsAsOldAsTheOldest() {
        let figures = Self.figures(answered: [], unanswered: [100, 4000])
        #expect(Self.isNear(figures.p50, 4000) && Self.isNear(figures.max, 4000))
        #expect(Self.figures(answered: []) == LatencyFigures.none)
    }

    /// Whether it was answered or not.
    @Test(arguments: [(100_037, 50_000), (50_000, 100_037)])
    func theLongestIsExact(_ answer: Int, _ age: Int) {
        var (answered, cut) = (LatencyHistogram(), CutFrames())
        for latency in [answer, 10] { answered.record(.microseconds(latency)) }
        cut.add(unanswered: .microseconds(age))
        let estimate = LatencyEstimate(answered: answered, cut)
        let figures = estimate.figures
        #expect(abs(figures.max - 100.037) < 1e-6 && figures.p999 <= figures.max)
        #expect(estimate.distribution.last?.ms == figures.max)
    }

    @Test func aPointTellsWhatItCutOff() {
        var cut = CutFrames()
        cut.add(unanswered: .milliseconds(9000))
        cut.add(unsent: Self.histogram([400, 300]))
        var tally = Tally()
        for _ in 0..<50 { tally.record(FrameOutcome(.ok, latency: .milliseconds(10))) }
        let load = LoadDescription(.rate, callers: 1, rate: 10, arrivals: .constant)
        let point = BenchPoint(load, windows: [(tally, 1)], cut: cut, isStable: true, trials: 1)
        #expect(point.unanswered == 3 && point.unsent == 2 && point.hasOverdueFrames)
        #expect(Self.isNear(point.oldestUnansweredMs, 9000) && Self.isNear(point.longestAnsweredMs, 10))
        #expect(Self.isNear(point.latencyMs.p50, 10) && Self.isNear(point.latencyMs.p99, 9000))
        #expect(Self.isNear(point.distribution.last?.ms ?? 0, 9000))
    }
}
