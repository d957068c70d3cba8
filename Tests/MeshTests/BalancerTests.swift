import RPC
import Testing

@testable import Mesh

@Suite struct BalancerTests {
    private let second: UInt64 = 1_000_000_000

    private func balancer(_ names: String...) -> Balancer<String> {
        var balancer = Balancer<String>()
        for name in names { balancer.setReady(name, true, now: 0) }
        return balancer
    }

    @Test func nothingIsPickedWhenNothingIsReady() {
        var balancer = balancer()
        balancer.setReady("a", false, now: 0)
        var dice = Dice()
        #expect(balancer.pick(now: 0, using: &dice) == nil)
        #expect(!balancer.anyReady)
    }

    @Test func equalEndpointsShareTheCalls() {
        var balancer = balancer("a", "b", "c")
        var dice = Dice()
        for _ in 0..<300 { _ = balancer.pick(now: 0, using: &dice) }
        // All stay outstanding, so the shorter queue of two wins each time.
        for endpoint in balancer.endpoints.values { #expect((75...125).contains(endpoint.outstanding)) }
    }

    @Test func theSlowerEndpointGetsLess() {
        var balancer = balancer("fast", "slow")
        var dice = Dice()
        var now: UInt64 = 0
        for _ in 0..<1000 {
            now += second / 100
            guard let name = balancer.pick(now: now, using: &dice) else { continue }
            balancer.finished(name, latency: name == "fast" ? 1_000_000 : 20_000_000, .answered, now: now)
        }
        let slow = balancer.endpoints["slow"]?.calls ?? 0
        let fast = balancer.endpoints["fast"]?.calls ?? 0
        #expect(slow >= 1)
        #expect(fast > slow * 10)
    }

    @Test func triedEndpointsAreLeftOutUnlessThereIsNoOther() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        for _ in 0..<20 { #expect(balancer.pick(excluding: ["a"], now: 0, using: &dice) == "b") }
        #expect(balancer.pick(excluding: ["a", "b"], now: 0, using: &dice) != nil)
        #expect(balancer.anyReady(besides: "a"))
        #expect(!balancer.anyReady(besides: "a", ["b"]))
    }

    @Test func failuresInARowEjectForAGrowingTime() {
        var balancer = balancer("a", "b", "c")
        func fail(_ name: String, at now: UInt64) { balancer.finished(name, latency: 1, .failed, now: now) }
        fail("a", at: 1)
        fail("a", at: 2)
        #expect(!balancer.isEjected("a", now: 3))
        fail("a", at: 3)
        #expect(balancer.isEjected("a", now: 4))
        #expect(!balancer.isEjected("a", now: second + 10))
        // Back, and it fails again: longer this time.
        fail("a", at: 2 * second)
        #expect(balancer.isEjected("a", now: 2 * second + second * 3 / 2))
        // An answer forgives the failures before it.
        balancer.finished("a", latency: 1, .answered, now: 10 * second)
        fail("a", at: 10 * second)
        #expect(!balancer.isEjected("a", now: 10 * second + 1))
    }

    @Test func whoMissesDeadlinesButAnswersOthersIsNotEjected() {
        var balancer = balancer("a", "b", "c")
        func miss(at now: UInt64) { balancer.finished("a", latency: second, .late, now: now) }
        for turn in 2...20 as ClosedRange<UInt64> {
            balancer.finished("a", latency: 1, .answered, now: turn * second - second / 2)
            miss(at: turn * second)
        }
        #expect(!balancer.isEjected("a", now: 20 * second + 1))
        #expect(balancer.endpoints["a"]?.failures == 0)
        // Nothing is answered any more.
        for turn in 22...24 as ClosedRange<UInt64> { miss(at: turn * second) }
        #expect(balancer.isEjected("a", now: 24 * second + 1))
    }

    @Test func neverMoreThanHalfIsEjected() {
        var balancer = balancer("a", "b", "c")
        for name in ["a", "b", "c"] { for _ in 0..<5 { balancer.finished(name, latency: 1, .failed, now: 5) } }
        #expect(["a", "b", "c"].count { balancer.isEjected($0, now: 6) } == 1)
        var alone = self.balancer("a")
        for _ in 0..<5 { alone.finished("a", latency: 1, .failed, now: 5) }
        #expect(!alone.isEjected("a", now: 6))
    }

    @Test func theEjectedOneIsNotPickedUntilItsTimeIsOver() {
        var balancer = balancer("a", "b")
        for _ in 0..<3 { balancer.finished("a", latency: 1, .failed, now: 5) }
        var dice = Dice()
        for _ in 0..<50 { #expect(balancer.pick(now: 6, using: &dice) == "b") }
        balancer.setReady("b", false, now: 0)
        // Rather an ejected endpoint than none.
        #expect(balancer.pick(now: 6, using: &dice) == "a")
    }

    @Test func failingFastAttractsNothing() {
        var balancer = balancer("good", "bad")
        var dice = Dice()
        var bad = 0
        var now: UInt64 = 0
        for _ in 0..<200 {
            now += 10_000_000
            guard let name = balancer.pick(now: now, using: &dice) else { continue }
            bad += name == "bad" ? 1 : 0
            balancer.finished(
                name, latency: name == "bad" ? 1000 : 5_000_000, name == "bad" ? .failed : .answered, now: now)
        }
        #expect(bad < 10)
    }

    @Test func aRefusalNeitherAttractsNorEjects() {
        var balancer = balancer("a", "b")
        balancer.finished("a", latency: 50_000_000, .answered, now: 1)
        let before = balancer.endpoints["a"]?.ewma
        for now in 2..<50 { balancer.finished("a", latency: 10, .unmeasured, now: UInt64(now)) }
        #expect(balancer.endpoints["a"]?.ewma == before)
        #expect(!balancer.isEjected("a", now: 51))
    }

    @Test func outstandingCallsAreCounted() {
        var balancer = balancer("a")
        var dice = Dice()
        _ = balancer.pick(now: 0, using: &dice)
        _ = balancer.pick(now: 0, using: &dice)
        balancer.finished("a", latency: 1, .answered, now: 1)
        #expect(balancer.endpoints["a"]?.outstanding == 1)
        #expect(balancer.endpoints["a"]?.calls == 2)
        balancer.unpick("a", now: 1)
        #expect(balancer.endpoints["a"]?.outstanding == 0)
        #expect(balancer.endpoints["a"]?.calls == 1)
        // More ends than beginnings, and ends of the unknown, do no harm.
        balancer.finished("a", latency: 1, .answered, now: 1)
        balancer.unpick("a", now: 1)
        balancer.unpick("a", now: 1)
        balancer.finished("gone", latency: 1, .failed, now: 1)
        balancer.unpick("gone", now: 1)
        #expect(balancer.endpoints["a"]?.outstanding == 0)
        #expect(balancer.endpoints["gone"] == nil)
    }

    @Test func callsThatEndOutOfOrderDoNotWipeTheAverage() {
        var balancer = balancer("a")
        balancer.finished("a", latency: 100_000_000, .answered, now: 10 * second)
        balancer.finished("a", latency: 1, .answered, now: 10 * second - 1)
        #expect((balancer.endpoints["a"]?.ewma ?? 0) > 90_000_000)
    }

    // ---- a failure is not for ever ----

    /// Calls one after the other, each answered after 5 ms; how many of them `name` got.
    private func share(
        of name: String, in balancer: inout Balancer<String>, calls: Int, every interval: UInt64, from start: UInt64
    ) -> Int {
        var dice = Dice()
        var count = 0
        var now = start
        for _ in 0..<calls {
            now += interval
            guard let picked = balancer.pick(now: now, using: &dice) else { continue }
            count += picked == name ? 1 : 0
            balancer.finished(picked, latency: 5_000_000, .answered, now: now + 5_000_000)
        }
        return count
    }

    @Test func aRestartedNodeGetsItsShare() {
        var balancer = balancer("a", "b")
        for now in 1...3 { balancer.finished("a", latency: 1, .failed, now: UInt64(now)) }
        #expect(balancer.isEjected("a", now: 4))
        balancer.lostConnection("a")
        // It ran there when the connection broke.
        balancer.finished("a", latency: 1, .failed, now: 5)
        #expect(share(of: "a", in: &balancer, calls: 10, every: second / 100, from: 10) == 0)
        balancer.setReady("a", true, now: second / 5)
        #expect(!balancer.isEjected("a", now: second / 2))
        // It is a newcomer for a while.
        _ = share(of: "a", in: &balancer, calls: 400, every: second / 100, from: second / 5)
        let share = share(of: "a", in: &balancer, calls: 200, every: second / 100, from: 5 * second)
        #expect((80...120).contains(share))
    }

    @Test func newsOfHealthOnTheSameConnectionForgiveNothing() {
        var balancer = balancer("a", "b")
        for now in 1...3 { balancer.finished("a", latency: 1, .failed, now: UInt64(now)) }
        balancer.setReady("a", false, now: 0)
        balancer.setReady("a", true, now: 0)
        #expect(balancer.isEjected("a", now: 4))
    }

    @Test func aNodeThatFailedOnceGetsCallsAgainAfterSomeSeconds() {
        var balancer = balancer("a", "b")
        balancer.finished("a", latency: 1, .failed, now: 1)
        #expect(share(of: "a", in: &balancer, calls: 100, every: second / 100, from: 1) == 0)
        #expect(share(of: "a", in: &balancer, calls: 1000, every: second / 50, from: second) > 100)
    }

    @Test func aBusyNodeIsForgivenNothing() {
        var balancer = balancer("a", "b")
        balancer.setReady("b", false, now: 0)
        var dice = Dice()
        balancer.finished("a", latency: 1, .failed, now: 1)
        #expect(balancer.pick(now: 2, using: &dice) == "a")
        balancer.setReady("b", true, now: 0)
        balancer.finished("b", latency: 5_000_000, .answered, now: 1)
        for _ in 0..<20 { #expect(balancer.pick(now: 60 * second, using: &dice) == "b") }
    }

    // ---- what endpoints say of themselves ----

    @Test func callsGoWhereThereIsCapacity() {
        var balancer = balancer("large", "small")
        balancer.report("large", EndpointReport(capacity: 3))
        balancer.report("small", EndpointReport(capacity: 1))
        var dice = Dice()
        for _ in 0..<200 { _ = balancer.pick(now: 0, using: &dice) }
        #expect((120...180).contains(balancer.endpoints["large"]?.outstanding ?? 0))
    }

    @Test func theQueueOfOthersCounts() {
        var balancer = balancer("busy", "idle")
        balancer.report("busy", EndpointReport(capacity: 2, load: 100))
        balancer.report("idle", EndpointReport(capacity: 2))
        var dice = Dice()
        for _ in 0..<40 { #expect(balancer.pick(now: 0, using: &dice) == "idle") }
    }

    @Test func aSilentEndpointGetsNothingUntilItReports() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        balancer.fellSilent("a", now: 0)
        for _ in 0..<40 { #expect(balancer.pick(now: 0, using: &dice) == "b") }
        balancer.fellSilent("b", now: 0)
        // Rather a silent endpoint than none.
        #expect(balancer.pick(now: 0, using: &dice) != nil)
        balancer.report("a", EndpointReport())
        #expect(balancer.pick(now: 0, using: &dice) == "a")
    }

    @Test func anEndpointHasRoomForSoManyCalls() {
        var rules = BalancingRules()
        rules.maxInFlight = 2
        var balancer = Balancer<String>(rules)
        for name in ["a", "b"] { balancer.setReady(name, true, now: 0) }
        var dice = Dice()
        var picked: [String] = []
        while let name = balancer.pick(now: 0, using: &dice) { picked.append(name) }
        #expect(picked.sorted() == ["a", "a", "b", "b"])
        #expect(balancer.anyReady)
        balancer.finished("a", latency: 1, .answered, now: 1)
        // Tried, and the only one with room.
        #expect(balancer.pick(excluding: ["a"], now: 1, using: &dice) == "a")
        #expect(balancer.pick(now: 1, using: &dice) == nil)
    }

    @Test func theLastPlacesAreForClientsWithFewCalls() {
        var rules = BalancingRules()
        rules.maxInFlight = 16
        var balancer = Balancer<String>(rules)
        for name in ["a", "b"] { balancer.setReady(name, true, now: 0) }
        var dice = Dice()
        func picked(by client: UInt64?) -> [String] {
            (0..<100).compactMap { _ in balancer.pick(of: client, now: 0, using: &dice) }
        }
        #expect(picked(by: 1).count == 2 * 14)
        let few = picked(by: 2)
        #expect(few.count == 2)
        // Whose call was not used after all, or has ended, has fewer again.
        balancer.unpick(few[0], of: 2, now: 0)
        balancer.finished(few[1], latency: 1, .answered, of: 2, now: 1)
        #expect(picked(by: 1).isEmpty)
        #expect(picked(by: 2).count == 2)
        #expect(picked(by: 3).count == 2)
        #expect(picked(by: nil).isEmpty)
    }

    @Test func whoWaitedGetsHalfOfWhatAnEndpointTakes() {
        var balancer = Balancer<String>(isProbed: true)
        var dice = Dice()
        func picked(_ most: Int) -> Int {
            (0..<most).count { _ in balancer.pick(sparing: true, now: 0, using: &dice) != nil }
        }
        balancer.setReady("a", true, now: 0)
        // It has not said yet what it takes.
        #expect(picked(100) == Balancer<String>.callsBeforeReport)
        balancer.report("a", EndpointReport(capacity: 2, load: 16, limit: 66))
        #expect(picked(100) == 33 - 16)
        balancer.finished("a", latency: 1, .answered, now: 1)
        #expect(picked(100) == 1)
        // Others fill it too.
        balancer.report("a", EndpointReport(capacity: 2, load: 60, limit: 66))
        balancer.finished("a", latency: 1, .answered, now: 1)
        #expect(picked(100) == 0)
        // Those that have not waited find the room that is left.
        #expect(balancer.pick(now: 0, using: &dice) == "a")
        balancer.report("a", EndpointReport(capacity: 2, load: 34))
        #expect(picked(50) == 50)
    }

    @Test func theOwnZoneComesFirstWhileItHasRoom() {
        var rules = BalancingRules()
        rules.zone = "here"
        var balancer = Balancer<String>(rules)
        for (name, zone) in [("near", "here"), ("far", "there")] {
            balancer.setReady(name, true, now: 0)
            balancer.report(name, EndpointReport(capacity: 4, zone: zone))
        }
        var dice = Dice()
        for _ in 0..<8 { #expect(balancer.pick(now: 0, using: &dice) == "near") }
        let next = (0..<20).map { _ in balancer.pick(now: 0, using: &dice) }
        #expect(next.contains("far"))
    }

    @Test func lowerPrioritiesServeWhenNoOtherCan() {
        var balancer = balancer("first", "second")
        balancer.place("first", priority: 1, weight: 1)
        balancer.place("second", priority: 2, weight: 1)
        var dice = Dice()
        for _ in 0..<20 { #expect(balancer.pick(now: 0, using: &dice) == "first") }
        #expect(balancer.pick(excluding: ["first"], now: 0, using: &dice) == "second")
        balancer.setReady("first", false, now: 0)
        #expect(balancer.pick(now: 0, using: &dice) == "second")
    }

    @Test func aCallThatWaitsSpeaksForItsEndpoint() {
        var balancer = balancer("stuck", "well")
        var dice = Dice()
        for name in ["stuck", "well"] { balancer.finished(name, latency: 10_000_000, .answered, now: 1) }
        _ = balancer.pick(excluding: ["well"], now: 2, using: &dice)
        // "well" has more of them, and answers.
        for _ in 0..<4 { _ = balancer.pick(excluding: ["stuck"], now: 2, using: &dice) }
        balancer.finished("well", latency: 10_000_000, .answered, now: second / 5)
        for _ in 0..<3 { #expect(balancer.pick(now: second / 5, using: &dice) == "well") }
    }

    @Test func streamsSayNothingByLasting() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        for _ in 0..<20 { _ = balancer.pick(isStream: true, now: 0, using: &dice) }
        balancer.setReady("c", true, now: second)
        let late = (0..<30).map { _ in balancer.pick(isStream: true, now: 3600 * second, using: &dice) }
        // It catches up, and no more.
        #expect((5...25).contains(late.count { $0 == "c" }))
    }

    @Test func aShareOfFailuresEjectsUnlessAllFail() {
        var balancer = balancer("a", "b", "c")
        for now in 1...40 {
            balancer.finished("a", latency: 1, now % 2 == 0 ? .failed : .answered, now: UInt64(now))
            balancer.finished("b", latency: 1, .answered, now: UInt64(now))
        }
        #expect(balancer.isEjected("a", now: 41))
        var all = self.balancer("a", "b", "c")
        for now in 1...40 {
            for name in ["a", "b", "c"] {
                all.finished(name, latency: 1, now % 2 == 0 ? .failed : .answered, now: UInt64(now))
            }
        }
        #expect(["a", "b", "c"].allSatisfy { !all.isEjected($0, now: 41) })
    }

    @Test func anEndpointThatFlapsIsLeftOutForLonger() {
        var balancer = balancer("a", "b")
        func flap(at now: UInt64) {
            balancer.finished("a", latency: 1, .answered, now: now)
            for _ in 0..<3 { balancer.finished("a", latency: 1, .failed, now: now) }
        }
        flap(at: second)
        #expect(!balancer.isEjected("a", now: 2 * second))
        flap(at: 3 * second)
        #expect(balancer.isEjected("a", now: 4 * second))
        #expect(!balancer.isEjected("a", now: 5 * second))
    }

    // ---- hedges ----

    private static let hedge = EndpointDemand(elsewhereOnly: true, isHedge: true)
    private static let suspect = EndpointDemand(isSuspect: true)

    @Test func aHedgeGoesToAnotherEndpointThatIsWellAndHasRoom() {
        var balancer = balancer("a", "b", "c", "d", "e")
        balancer.fellSilent("b", now: 0)
        for now in 1...3 { balancer.finished("c", latency: 1, .failed, now: UInt64(now)) }
        balancer.report("d", EndpointReport(capacity: 2, load: 4))
        var dice = Dice()
        for _ in 0..<20 {
            #expect(balancer.pick(excluding: ["a"], Self.hedge, now: 4, using: &dice) == "e")
            balancer.unpick("e", now: 4)
        }
        #expect(balancer.pick(excluding: ["a", "e"], Self.hedge, now: 4, using: &dice) == nil)
        balancer.report("d", EndpointReport(capacity: 2, load: 3))
        #expect(balancer.pick(excluding: ["a", "e"], Self.hedge, now: 4, using: &dice) == "d")
    }

    @Test func whoMustGoElsewhereGoesNowhereRatherThanToATriedOne() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        let elsewhere = EndpointDemand(elsewhereOnly: true)
        #expect(balancer.pick(excluding: ["a"], elsewhere, now: 0, using: &dice) == "b")
        #expect(balancer.pick(excluding: ["a", "b"], elsewhere, now: 0, using: &dice) == nil)
    }

    @Test func whoIsOvertakenAgainAndAgainIsTakenForSlowerEachTime() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        let millisecond: UInt64 = 1_000_000
        var averages: [Double] = []
        for round in 0..<8 {
            let start = UInt64(round) * 40 * millisecond
            #expect(balancer.pick(excluding: ["b"], now: start, using: &dice) == "a")
            balancer.finished("a", latency: 40 * millisecond, .overdue, now: start + 40 * millisecond)
            averages.append((balancer.endpoints["a"]?.ewma ?? 0) / Double(millisecond))
        }
        #expect(averages == [40, 80, 160, 320, 640, 1000, 1000, 1000])
        #expect(balancer.endpoints["a"]?.failures == 0)
        balancer.finished("a", latency: millisecond, .answered, now: 20 * second)
        balancer.finished("a", latency: 2000 * millisecond, .overdue, now: 21 * second)
        #expect(balancer.endpoints["a"]?.ewma == 2000 * Double(millisecond))
    }

    @Test func aCallThatIsGivenUpDoesNotShowThatTheOthersMove() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        for _ in 0..<2 { _ = balancer.pick(excluding: ["b"], now: 0, using: &dice) }
        balancer.finished("a", latency: second, .abandoned, now: second)
        let cost = balancer.endpoints["a"]?.cost(balancer.rules, now: 2 * second) ?? 0
        #expect(cost >= 2 * Double(2 * second))
    }

    // ---- suspects ----

    @Test func noTwoSuspectsRunOnOneEndpoint() {
        var balancer = balancer("a", "b", "c")
        var dice = Dice()
        let first = balancer.pick(excluding: ["c"], Self.suspect, now: 0, using: &dice)
        let second = balancer.pick(excluding: ["c"], Self.suspect, now: 0, using: &dice)
        #expect(Set([first, second]) == ["a", "b"])
        // Rather where it was tried than where another one runs.
        #expect(balancer.pick(excluding: ["c"], Self.suspect, now: 0, using: &dice) == "c")
        #expect(balancer.pick(Self.suspect, now: 0, using: &dice) == nil)
        #expect(balancer.pick(Self.suspect, now: 0, using: &dice) == nil)
        // Others do not mind.
        #expect(balancer.pick(now: 0, using: &dice) != nil)
        balancer.finished("b", latency: 1, .answered, isSuspect: true, now: 1)
        #expect(balancer.pick(Self.suspect, now: 1, using: &dice) == "b")
    }

    @Test func aSuspectWaitsForAnEndpointThatIsWellRatherThanTakeOneThatIsNot() {
        var balancer = balancer("a", "b")
        balancer.fellSilent("b", now: 0)
        var dice = Dice()
        #expect(balancer.pick(Self.suspect, now: 0, using: &dice) == "a")
        #expect(balancer.pick(Self.suspect, now: 0, using: &dice) == nil)
        balancer.lostConnection("a")
        #expect(balancer.pick(Self.suspect, now: 0, using: &dice) == "b")
    }

    @Test func noHedgeRunsBesideASuspect() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        #expect(balancer.pick(excluding: ["a"], Self.suspect, now: 0, using: &dice) == "b")
        #expect(balancer.pick(excluding: ["a"], Self.hedge, now: 0, using: &dice) == nil)
    }

    @Test func aReportIsBelievedWithinBounds() {
        var rules = BalancingRules()
        rules.maxCapacity = 8
        rules.maxZoneBytes = 4
        var balancer = Balancer<String>(rules)
        balancer.setReady("a", true, now: 0)
        balancer.report("a", EndpointReport(capacity: .max, load: .max, zone: "west"))
        #expect(balancer.endpoints["a"]?.report.capacity == 8)
        #expect(balancer.endpoints["a"]?.report.zone == "west")
        balancer.report("a", EndpointReport(capacity: .min, load: .min, zone: "west1"))
        #expect(balancer.endpoints["a"]?.report.capacity == 1)
        #expect(balancer.endpoints["a"]?.report.zone == "")
        #expect(balancer.endpoints["a"]?.fill == 0)
    }
}
