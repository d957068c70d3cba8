import Synchronization
import Testing

@testable import RPC

@Suite struct MemoryBudgetTests {
    @Test func itsLimitCanBeSet() {
        let budget = MemoryBudget(limit: 100)
        #expect(budget.reserve(150) == nil)
        budget.limit = 200
        #expect(budget.reserve(150) != nil)
    }

    @Test func memoryIsServedInTheOrderOfAsking() throws {
        let budget = MemoryBudget(limit: 100)
        let served = Mutex<[String]>([])
        let kept = Mutex<[MemoryBudget.Lease]>([])
        /// Outside of the lock, because that serves others.
        func letGo() {
            let leases = kept.withLock { leases in
                defer { leases = [] }
                return leases
            }
            withExtendedLifetime(leases) {}
        }
        var first = budget.reserve(80)
        #expect(first != nil)
        for (name, bytes) in [("large", 60), ("small", 10), ("other", 90)] {
            _ = budget.wait(for: bytes) { lease in
                served.withLock { $0.append(name) }
                kept.withLock { $0.append(lease) }
            }
        }
        // There would be room for it, but others wait.
        #expect(budget.reserve(5) == nil)
        #expect(served.withLock { $0 } == [])
        first = nil
        #expect(served.withLock { $0 } == ["large", "small"])
        #expect(budget.used == 70)
        letGo()
        #expect(served.withLock { $0 } == ["large", "small", "other"])
        letGo()
        #expect(budget.used == 0)
        #expect(budget.reserve(5) != nil)
    }

    @Test func whoGivesUpDoesNotHoldUpTheOthers() {
        let budget = MemoryBudget(limit: 100)
        let served = Mutex<[String]>([])
        let first = budget.reserve(50)
        let ticket = budget.wait(for: 90) { _ in served.withLock { $0.append("large") } }
        _ = budget.wait(for: 20) { _ in served.withLock { $0.append("small") } }
        budget.cancel(ticket)
        #expect(served.withLock { $0 } == ["small"])
        _ = first
    }

    /// Whoever resets its calls while they wait for memory holds up nobody: with a search for each, this takes minutes.
    @Test(.timeLimit(.minutes(1)), arguments: [nil, MemoryShare(limit: 50)])
    func aWaitEndsAtOnceHoweverManyThereAre(_ share: MemoryShare?) {
        let budget = MemoryBudget(limit: 100)
        var held = budget.reserve(100, in: share)
        let tickets = (0..<500_000).map { _ in budget.wait(for: 10, in: share) { _ in } }
        for ticket in tickets.reversed() { budget.cancel(ticket) }
        #expect(held != nil)
        held = nil
        #expect(budget.used == 0)
        #expect(budget.reserve(100, in: share) != nil)
    }

    // ---- shares ----

    @Test func whoHasFilledItsShareHoldsUpNobodyElse() {
        let budget = MemoryBudget(limit: 100)
        let (greedy, polite) = (MemoryShare(limit: 50), MemoryShare(limit: 50))
        let served = Mutex<[String]>([])
        var held: [MemoryBudget.Lease?] = [budget.reserve(30, in: greedy)]
        #expect(budget.reserve(30, in: greedy) == nil)
        for name in ["second", "third"] {
            _ = budget.wait(for: 20, in: greedy) { lease in
                served.withLock { $0.append(name) }
                withExtendedLifetime(lease) {}
            }
        }
        // The second had room, and let go at once, so that the third had it too; nobody waits.
        #expect(served.withLock { $0 } == ["second", "third"])
        held.append(budget.reserve(20, in: greedy))
        _ = budget.wait(for: 40, in: greedy) { _ in served.withLock { $0.append("large") } }
        #expect(budget.reserve(50, in: polite) != nil)
        #expect(served.withLock { $0 }.count == 2)
        held.removeFirst()
        #expect(served.withLock { $0 }.count == 2)
        held = []
        #expect(served.withLock { $0 }.last == "large")
        #expect(budget.used == 0)
    }

    @Test func whatIsLargerThanAShareGetsItAlone() {
        let budget = MemoryBudget(limit: 100)
        let share = MemoryShare(limit: 10)
        var large = budget.reserve(80, in: share)
        #expect(large != nil)
        #expect(budget.reserve(5, in: share) == nil)
        large = nil
        #expect(budget.reserve(5, in: share) != nil)
        #expect(large == nil)
    }

    @Test func aShareIsAPartOrAll() {
        #expect(MemoryShare(0.5, of: MemoryBudget(limit: 100)).limit == 50)
        #expect(MemoryShare(1, of: MemoryBudget(limit: .max)).limit == .max)
    }

    @Test func whoGivesUpLeavesItsShareToTheNext() {
        let budget = MemoryBudget(limit: 100)
        let share = MemoryShare(limit: 50)
        let served = Mutex<[String]>([])
        var others = budget.reserve(90)
        let held = budget.reserve(10, in: share)
        // One waits for memory and one for its share.
        let first = budget.wait(for: 30, in: share) { _ in served.withLock { $0.append("first") } }
        let second = budget.wait(for: 40, in: share) { _ in served.withLock { $0.append("second") } }
        _ = budget.wait(for: 20, in: share) { _ in served.withLock { $0.append("third") } }
        budget.cancel(second)
        budget.cancel(first)
        #expect(served.withLock { $0 } == [])
        others = nil
        #expect(served.withLock { $0 } == ["third"])
        #expect(budget.used == 10)
        withExtendedLifetime((held, others)) {}
    }
}
