import Testing

@testable import Bench

@Suite struct SteadinessTests {
    private static func verdicts(
        _ samples: [(Double, Double)], _ change: (inout Steadiness.Rules) -> Void = { _ in }
    ) -> [Steadiness.Verdict] {
        var rules = Steadiness.Rules()
        change(&rules)
        var steadiness = Steadiness(rules)
        return samples.map { steadiness.add(.init(throughput: $0.0, latency: $0.1)) }
    }

    @Test func threeWindowsThatAgreeAreEnough() {
        #expect(Self.verdicts([(100, 10), (105, 10.5), (109.9, 10.9)]) == [.goOn, .goOn, .stable])
    }

    @Test func throughputAndLatencyBothHaveToAgree() {
        #expect(Self.verdicts([(100, 10), (100, 10), (111, 10)]).last == .goOn)
        #expect(Self.verdicts([(100, 10), (100, 10), (100, 11.1)]).last == .goOn)
    }

    @Test func onlyTheLastThreeCount() {
        #expect(Self.verdicts([(1, 99), (100, 10), (101, 10), (99, 10)]) == [.goOn, .goOn, .goOn, .stable])
    }

    @Test func afterTenWindowsItIsUnstable() {
        let verdicts = Self.verdicts((0..<10).map { ($0 % 2 == 0 ? 100 : 150, 10) })
        #expect(verdicts == Array(repeating: .goOn, count: 9) + [.unstable])
    }

    @Test func windowsWithoutAnswersAreNotStable() {
        #expect(Self.verdicts([(0, 0), (0, 0), (0, 0)]).last == .goOn)
    }

    @Test func beyondTheLimitOfTheLatencyNoMoreIsMeasured() {
        let wild: [(Double, Double)] = [(100, 60), (50, 90), (100, 55)]
        #expect(Self.verdicts(wild) { $0.latencyLimit = 50 } == [.goOn, .goOn, .beyondLimit])
        #expect(Self.verdicts(wild) { $0.latencyLimit = 56 }.last == .goOn)
    }

    /// Of a run of a fixed length all windows count, not the last ones.
    @Test func aDipInTheMiddleIsSeen() {
        var steadiness = Steadiness(.init())
        for throughput in [100.0, 20, 100, 100, 100] {
            _ = steadiness.add(.init(throughput: throughput, latency: 5))
        }
        #expect(steadiness.agrees && !steadiness.allAgree)
    }
}
