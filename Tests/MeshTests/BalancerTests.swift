import RPC
import Testing

@testable import Mesh

@Suite struct BalancerTests {
    let second: UInt64 = 1_000_000_000

    func balancer(_ names: String...) -> Balancer<String> {
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

    @Test func ofEndpointsThatCostTheSameTheOneWithFewerCallsGetsTheNext() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        // Once slow start is over; a tenth apart, as averages are.
        let now = 10 * second
        for (name, latency) in [("a", UInt64(22_000_000)), ("b", 20_000_000)] {
            let picked = balancer.pick(excluding: [name == "a" ? "b" : "a"], now: now, using: &dice)
            #expect(picked == name)
            balancer.finished(name, latency: latency, .answered, now: now)
        }
        // Four callers with one call each: there are never three on one endpoint, though three cost not half more than two.
        for _ in 0..<4 { _ = balancer.pick(now: now, using: &dice) }
        for turn in 0..<200 {
            #expect(balancer.endpoints.values.allSatisfy { $0.outstanding == 2 }, "turn \(turn)")
            let done = Bool.random(using: &dice) ? "a" : "b"
            balancer.finished(done, latency: done == "a" ? 22_000_000 : 20_000_000, .answered, now: now)
            _ = balancer.pick(now: now, using: &dice)
        }
    }

    /// Sixteen callers with one call each.
    @Test(arguments: [0.6, 0.67, 0.75])
    func sharesOfCallsAreThoseOfWeights(_ weight: Double) {
        var balancer = balancer("a", "b")
        balancer.place("a", priority: 0, weight: 2 * weight)
        balancer.place("b", priority: 0, weight: 2 * (1 - weight))
        var dice = Dice()
        let now = 10 * second
        for _ in 0..<16 { _ = balancer.pick(now: now, using: &dice) }
        var sum = 0
        for _ in 0..<2000 {
            let running = balancer.endpoints.mapValues(\.outstanding)
            sum += running["a"] ?? 0
            let done = Int.random(in: 0..<16, using: &dice) < running["a"] ?? 0 ? "a" : "b"
            balancer.finished(done, latency: 20_000_000, .answered, now: now)
            _ = balancer.pick(now: now, using: &dice)
        }
        #expect(abs(Double(sum) / 2000 / 16 - weight) < 0.05)
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

    /// As by a name that leaves DNS and is there again while calls of its old connection still run.
    @Test func whatRanOnAnEndpointThatLeftIsNotItsSuccessors() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        func start() { _ = balancer.pick(excluding: ["b"], of: 7, now: 0, using: &dice) }
        for _ in 0..<20 { start() }
        let old = balancer.generation(of: "a")
        balancer.remove("a")
        balancer.setReady("a", true, now: 1)
        #expect(balancer.generation(of: "a") != old)
        start()
        let suspect = EndpointDemand(isSuspect: true)
        _ = balancer.pick(excluding: ["b"], suspect, now: 1, using: &dice)
        for now in 2..<22 as Range<UInt64> {
            let outcome = balancer.finished(
                "a", latency: 1, .failed, isSuspect: true, of: 7, generation: old, now: now)
            #expect(outcome == .unmeasured)
        }
        #expect(balancer.endpoints["a"]?.outstanding == 2)
        #expect(balancer.endpoints["a"]?.suspects == 1)
        #expect(balancer.endpoints["a"]?.failures == 0)
        #expect(!balancer.isEjected("a", now: 22))
        // Its own count.
        let own = balancer.generation(of: "a")
        balancer.finished("a", latency: 1, .answered, of: 7, generation: own, now: 30)
        #expect(balancer.endpoints["a"]?.outstanding == 1)
        // It has left for good.
        balancer.remove("a")
        balancer.finished("a", latency: 1, .failed, isSuspect: true, generation: own, now: 31)
        #expect(balancer.endpoints["a"] == nil)
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
}
