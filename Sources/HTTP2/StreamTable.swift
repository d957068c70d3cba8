/// Values by stream id: what a dictionary does, without hashing. The ids of one side grow by two, so their halves fall
/// into neighbouring slots, which share cache lines.
///
/// Open addressing, at most half of the slots are used, and of two ids that want a slot the one that is farther from its
/// own gets it (Robin Hood hashing). So a search ends soon, and a removal moves few, whatever ids a peer chooses.
@frozen public struct StreamTable<Value> {
    /// 0: free.
    @usableFromInline var ids: [Int32] = []
    @usableFromInline var values: [Value?] = []
    @usableFromInline var used = 0

    /// The first, when there is a stream at all.
    @usableFromInline static var fewestSlots: Int { 8 }

    @inlinable public init() {}

    @inlinable public var count: Int { used }
    @inlinable public var isEmpty: Bool { used == 0 }

    @inlinable static func home(_ id: Int32, _ mask: Int) -> Int { Int(id >> 1) & mask }

    /// How far the id in `slot` is from its own slot.
    @inlinable func distance(_ slot: Int, _ mask: Int) -> Int { (slot - Self.home(ids[slot], mask)) & mask }

    /// Where `id` is, or -1.
    @inlinable func slot(_ id: Int32) -> Int {
        let mask = ids.count - 1
        var slot = Self.home(id, mask)
        var distance = 0
        while ids[slot] != id {
            if ids[slot] == 0 || self.distance(slot, mask) < distance { return -1 }
            slot = (slot + 1) & mask
            distance += 1
        }
        return slot
    }

    @inlinable public func contains(_ id: Int32) -> Bool {
        used > 0 && slot(id) >= 0
    }

    /// - Precondition: ids of streams are positive.
    @inlinable public subscript(id: Int32) -> Value? {
        get {
            guard used > 0 else { return nil }
            let slot = slot(id)
            return slot >= 0 ? values[slot] : nil
        }
        set {
            if let newValue { set(id, newValue) } else { remove(id) }
        }
    }

    /// Where the value of `id` is, until one is added or removed.
    @inlinable public func find(_ id: Int32) -> Int? {
        guard used > 0 else { return nil }
        let slot = slot(id)
        return slot >= 0 ? slot : nil
    }

    /// - Precondition: `place` is from `find`.
    @inlinable public subscript(at place: Int) -> Value {
        _read { yield values[place]! }
        _modify { yield &values[place]! }
    }

    /// - Precondition: ids of streams are positive.
    @inlinable public mutating func set(_ id: Int32, _ value: consuming Value) {
        precondition(id > 0)
        if (used + 1) * 2 > ids.count { grow() }
        let known = slot(id)
        if known >= 0 { return values[known] = consume value }
        let mask = ids.count - 1
        var slot = Self.home(id, mask)
        var distance = 0
        while ids[slot] != 0, self.distance(slot, mask) >= distance {
            slot = (slot + 1) & mask
            distance += 1
        }
        makeRoom(at: slot, mask)
        ids[slot] = id
        values[slot] = consume value
        used += 1
    }

    /// Moves the run of used slots from `slot` on by one: each in it is nearer to its own than the newcomer.
    @inlinable mutating func makeRoom(at slot: Int, _ mask: Int) {
        var end = slot
        while ids[end] != 0 { end = (end + 1) & mask }
        while end != slot {
            let before = (end - 1) & mask
            ids[end] = ids[before]
            values.swapAt(end, before)
            end = before
        }
    }

    @discardableResult
    @inlinable public mutating func remove(_ id: Int32) -> Value? {
        guard used > 0 else { return nil }
        var hole = slot(id)
        guard hole >= 0 else { return nil }
        let removed = values[hole].take()
        used -= 1
        // Those behind it that are not in their own slots move up.
        let mask = ids.count - 1
        var next = (hole + 1) & mask
        while ids[next] != 0, distance(next, mask) > 0 {
            ids[hole] = ids[next]
            values.swapAt(hole, next)
            hole = next
            next = (next + 1) & mask
        }
        ids[hole] = 0
        return removed
    }

    @inlinable public mutating func removeAll() { if used > 0 { self = StreamTable() } }

    @inlinable public func forEach(_ body: (Value) -> Void) {
        for value in values { if let value { body(value) } }
    }

    /// - Parameter body: gets the id, too.
    func forEachStream(_ body: (Int32, Value) -> Void) {
        for (index, id) in ids.enumerated() where id != 0 { if let value = values[index] { body(id, value) } }
    }

    @inlinable mutating func grow() {
        var larger = StreamTable()
        let slots = max(Self.fewestSlots, ids.count * 2)
        larger.ids = Array(repeating: 0, count: slots)
        larger.values = Array(repeating: nil, count: slots)
        for (index, id) in ids.enumerated() {
            if let value = values[index].take() { larger.set(id, value) }
        }
        self = larger
    }
}
