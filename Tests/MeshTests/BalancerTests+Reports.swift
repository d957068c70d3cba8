import RPC
import Testing

@testable import Mesh

/// What endpoints say of themselves, and how much room they have.
extension BalancerTests {
    @Test func callsGoWhereThereIsCapacity() {
        var balancer = balancer("large", "small")
        balancer.report("large", EndpointReport(capacity: 3), now: 0)
        balancer.report("small", EndpointReport(capacity: 1), now: 0)
        var dice = Dice()
        for _ in 0..<200 { _ = balancer.pick(now: 0, using: &dice) }
        #expect((120...180).contains(balancer.endpoints["large"]?.outstanding ?? 0))
    }

    @Test func theQueueOfOthersCounts() {
        var balancer = balancer("busy", "idle")
        balancer.report("busy", EndpointReport(capacity: 2, load: 100), now: 0)
        balancer.report("idle", EndpointReport(capacity: 2), now: 0)
        var dice = Dice()
        for _ in 0..<40 { #expect(balancer.pick(now: 0, using: &dice) == "idle") }
    }

    @Test func whatAnEndpointSaysItHasToDoCountsUntilItIsDone() {
        var balancer = balancer("long", "short")
        // As many calls, but longer ones.
        balancer.report("long", EndpointReport(capacity: 2, load: 4, wait: .seconds(3)), now: 0)
        balancer.report("short", EndpointReport(capacity: 2, load: 4, wait: .milliseconds(1)), now: 0)
        var dice = Dice()
        for _ in 0..<20 {
            #expect(balancer.pick(now: 2_000_000_000, using: &dice) == "short")
            balancer.unpick("short", now: 2_000_000_000)
        }
        var picked: Set<String> = []
        for _ in 0..<40 { if let name = balancer.pick(now: 4_000_000_000, using: &dice) { picked.insert(name) } }
        #expect(picked == ["long", "short"])
        // A lie is no more than it is.
        balancer.report("long", EndpointReport(wait: .seconds(Int64.max)), now: 0)
        #expect(balancer.outlook(now: 0)?.fill != nil)
    }

    @Test func theOutlookIsThatOfTheBestEndpointThatIsWell() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        #expect(balancer.outlook(now: 0) == EndpointOutlook(cost: nil, fill: 0))
        balancer.report("a", EndpointReport(capacity: 2, load: 6), now: 0)
        balancer.report("b", EndpointReport(capacity: 2, load: 3), now: 0)
        #expect(balancer.outlook(now: 0)?.fill == 1.5)
        #expect(balancer.pick(excluding: ["a"], now: 0, using: &dice) == "b")
        balancer.finished("b", latency: 8_000_000, .answered, now: 8_000_000)
        balancer.report("b", EndpointReport(capacity: 2, load: 3), now: 8_000_000)
        #expect(balancer.outlook(now: 8_000_000) == EndpointOutlook(cost: nil, fill: 3), "A newcomer counts as fast.")
        balancer.fellSilent("a", now: 8_000_000)
        let left = balancer.outlook(now: 8_000_000)
        #expect(left?.fill == 1.5 && left?.cost ?? 0 >= 8_000_000)
        balancer.fellSilent("b", now: 8_000_000)
        #expect(balancer.outlook(now: 8_000_000) == nil)
    }

    @Test func aSilentEndpointGetsNothingUntilItReports() {
        var balancer = balancer("a", "b")
        var dice = Dice()
        balancer.fellSilent("a", now: 0)
        for _ in 0..<40 { #expect(balancer.pick(now: 0, using: &dice) == "b") }
        balancer.fellSilent("b", now: 0)
        // Rather a silent endpoint than none.
        #expect(balancer.pick(now: 0, using: &dice) != nil)
        balancer.report("a", EndpointReport(), now: 0)
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
        balancer.report("a", EndpointReport(capacity: 2, load: 16, limit: 66), now: 0)
        #expect(picked(100) == 33 - 16)
        balancer.finished("a", latency: 1, .answered, now: 1)
        #expect(picked(100) == 1)
        // Others fill it too.
        balancer.report("a", EndpointReport(capacity: 2, load: 60, limit: 66), now: 0)
        balancer.finished("a", latency: 1, .answered, now: 1)
        #expect(picked(100) == 0)
        // Those that have not waited find the room that is left.
        #expect(balancer.pick(now: 0, using: &dice) == "a")
        balancer.report("a", EndpointReport(capacity: 2, load: 34), now: 0)
        #expect(picked(50) == 50)
    }

    @Test func theOwnZoneComesFirstWhileItHasRoom() {
        var rules = BalancingRules()
        rules.zone = "here"
        var balancer = Balancer<String>(rules)
        for (name, zone) in [("near", "here"), ("far", "there")] {
            balancer.setReady(name, true, now: 0)
            balancer.report(name, EndpointReport(capacity: 4, zone: zone), now: 0)
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

    @Test func aReportIsBelievedWithinBounds() {
        var rules = BalancingRules()
        rules.maxCapacity = 8
        rules.maxZoneBytes = 4
        var balancer = Balancer<String>(rules)
        balancer.setReady("a", true, now: 0)
        balancer.report("a", EndpointReport(capacity: .max, load: .max, zone: "west"), now: 0)
        #expect(balancer.endpoints["a"]?.report.capacity == 8)
        #expect(balancer.endpoints["a"]?.report.zone == "west")
        balancer.report("a", EndpointReport(capacity: .min, load: .min, zone: "west1"), now: 0)
        #expect(balancer.endpoints["a"]?.report.capacity == 1)
        #expect(balancer.endpoints["a"]?.report.zone == "")
        #expect(balancer.endpoints["a"]?.fill == 0)
    }
}
