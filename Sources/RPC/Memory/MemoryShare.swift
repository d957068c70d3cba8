import Synchronization

/// The part of a `MemoryBudget` that one address may have: whoever fills it waits for its own messages, and the others go
/// on. A message that is larger than the share gets it alone. A value: it names the share, the budget counts it.
struct MemoryShare: Sendable, Hashable {
    private static let last = Atomic<UInt64>(0)

    let id: UInt64
    let limit: Int

    init(limit: Int) {
        id = Self.last.add(1, ordering: .relaxed).newValue
        self.limit = limit
    }

    /// - Parameter part: 1 is all of it, however much that is: `Double` would round the largest limit up.
    init(_ part: Double, of budget: MemoryBudget) {
        self.init(limit: part >= 1 ? budget.limit : Int(Double(budget.limit) * part))
    }

    private init(id: UInt64, limit: Int) {
        self.id = id
        self.limit = limit
    }

    /// For the same peer.
    func with(limit: Int) -> MemoryShare { MemoryShare(id: id, limit: limit) }
}
