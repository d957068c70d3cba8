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
}
