import RPC
import Testing

@testable import Mesh

/// Where hedges and suspects may go.
extension BalancerTests {
    private static let hedge = EndpointDemand(elsewhereOnly: true, isHedge: true)
    private static let suspect = EndpointDemand(isSuspect: true)

    @Test func aHedgeGoesToAnotherEndpointThatIsWellAndHasRoom() {
        var balancer = balancer("a", "b", "c", "d", "e")
        balancer.fellSilent("b", now: 0)
        for now in 1...3 { balancer.finished("c", latency: 1, .failed, now: UInt64(now)) }
        balancer.report("d", EndpointReport(capacity: 2, load: 4), now: 0)
        var dice = Dice()
        for _ in 0..<20 {
            #expect(balancer.pick(excluding: ["a"], Self.hedge, now: 4, using: &dice) == "e")
            balancer.unpick("e", now: 4)
        }
        #expect(balancer.pick(excluding: ["a", "e"], Self.hedge, now: 4, using: &dice) == nil)
        balancer.report("d", EndpointReport(capacity: 2, load: 3), now: 0)
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
        let cost = balancer.endpoints["a"]?.price(balancer.rules, now: 2 * second).cost ?? 0
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
}
