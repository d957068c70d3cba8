import Testing

@testable import Mesh

@Suite struct HedgesTests {
    private static let millisecond: UInt64 = 1_000_000

    private func hedges(_ change: (inout HedgingRules) -> Void = { _ in }) -> Hedges {
        var rules = HedgingRules()
        rules.samples = 20
        rules.floor = .milliseconds(1)
        change(&rules)
        return Hedges(rules)
    }

    /// Answers that took so many milliseconds.
    private func answer(_ hedges: inout Hedges, _ milliseconds: [UInt64], of path: String = "/a") {
        for time in milliseconds { hedges.answered(path, after: time * Self.millisecond) }
    }

    private func milliseconds(_ time: UInt64?) -> Double? { time.map { Double($0) / Double(Self.millisecond) } }

    @Test func theUsualTimeIsThatOfMostAnswersOnceThereAreEnough() throws {
        var hedges = hedges()
        answer(&hedges, [UInt64](repeating: 10, count: 19))
        #expect(hedges.delay(of: "/a") == nil)
        answer(&hedges, [10])
        // Known to a quarter.
        let delay = try #require(milliseconds(hedges.delay(of: "/a")))
        #expect((10...12.5).contains(delay))
        #expect(hedges.delay(of: "/b") == nil)
    }

    @Test func aFewSlowAnswersDoNotChangeIt() throws {
        var hedges = hedges()
        for index in 0..<400 { answer(&hedges, [index % 25 == 0 ? 1000 : 10]) }
        let delay = try #require(milliseconds(hedges.delay(of: "/a")))
        #expect((10...12.5).contains(delay))
    }

    @Test func whereAllBecomeSlowItFollows() throws {
        var hedges = hedges()
        answer(&hedges, [UInt64](repeating: 10, count: 2000))
        answer(&hedges, [UInt64](repeating: 100, count: 200))
        let delay = try #require(milliseconds(hedges.delay(of: "/a")))
        #expect((100...125).contains(delay))
    }

    @Test func itIsNeverLessThanTheFloor() {
        var hedges = hedges { $0.floor = .milliseconds(20) }
        answer(&hedges, [UInt64](repeating: 1, count: 100))
        #expect(milliseconds(hedges.delay(of: "/a")) == 20)
    }

    /// Of a hundred calls five are hedged and given up for it; were they forgotten, the next five would be faster ones.
    @Test func hedgesDoNotMakeTheUsualTimeShrink() throws {
        var hedges = hedges()
        for index in 0..<100_000 {
            let time = UInt64(1000 + index % 100 * 100) * 1000
            if hedges.isOverdue("/a", after: time), let delay = hedges.delay(of: "/a") {
                hedges.gaveUp("/a", after: delay + Self.millisecond)
            } else {
                hedges.answered("/a", after: time)
            }
        }
        let delay = try #require(milliseconds(hedges.delay(of: "/a")))
        #expect((9...16).contains(delay))
    }

    @Test func aBurstIsHedgedAndThenAShareOfTheCalls() {
        var hedges = hedges {
            $0.burst = 10
            $0.share = 0.05
        }
        var begun = 0
        func begin() {
            guard hedges.mayHedge else { return }
            hedges.hedged()
            begun += 1
        }
        for _ in 0..<100 { begin() }
        #expect(begun == 10)
        for _ in 0..<1000 {
            answer(&hedges, [10])
            begin()
        }
        #expect((59...61).contains(begun))
        // What is not used is not kept for ever.
        answer(&hedges, [UInt64](repeating: 10, count: 100_000))
        begun = 0
        for _ in 0..<100 { begin() }
        #expect(begun == 10)
    }

    @Test func withoutAShareNothingIsHedged() {
        var hedges = hedges { $0.share = 0 }
        answer(&hedges, [UInt64](repeating: 10, count: 1000))
        #expect(hedges.delay(of: "/a") == nil)
        #expect(!hedges.mayHedge)
    }

    @Test func methodsBeyondTheLimitAreNotKept() {
        var hedges = hedges { $0.samples = 1 }
        for index in 0..<1000 { answer(&hedges, [10], of: "/\(index)") }
        #expect((0..<1000).count { hedges.delay(of: "/\($0)") != nil } == Hedges.mostMethods)
    }
}
