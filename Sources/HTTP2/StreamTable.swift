/// Values by stream id: a dictionary for keys that no peer can choose to collide, since they only grow. Open addressing;
/// at most half of the slots are used.
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

    /// Spreads ids, which follow each other, so that no long run of used slots forms (Fibonacci hashing).
    @inlinable static func home(_ id: Int32, _ mask: Int) -> Int {
        Int(truncatingIfNeeded: (UInt64(UInt32(bitPattern: id)) &* 0x9e37_79b9_7f4a_7c15) >> 40) & mask
    }

    /// Where `id` is, or the free slot where it would be. There is a free one always.
    @inlinable func slot(_ id: Int32) -> Int {
        let mask = ids.count - 1
        var slot = Self.home(id, mask)
        while ids[slot] != id, ids[slot] != 0 { slot = (slot + 1) & mask }
        return slot
    }

    @inlinable public func contains(_ id: Int32) -> Bool {
        used > 0 && ids[slot(id)] == id
    }

    /// - Precondition: ids of streams are positive.
    @inlinable public subscript(id: Int32) -> Value? {
        get {
            guard used > 0 else { return nil }
            let slot = slot(id)
            return ids[slot] == id ? values[slot] : nil
        }
        set {
            if let newValue { insert(newValue, id) } else { remove(id) }
        }
    }

    /// Where the value of `id` is, until one is added or removed.
    @inlinable public func find(_ id: Int32) -> Int? {
        guard used > 0 else { return nil }
        let slot = slot(id)
        return ids[slot] == id ? slot : nil
    }

    /// - Precondition: `place` is from `find`.
    @inlinable public subscript(at place: Int) -> Value {
        _read { yield values[place]! }
        _modify { yield &values[place]! }
    }

    @inlinable mutating func insert(_ value: Value, _ id: Int32) {
        precondition(id > 0)
        if (used + 1) * 2 > ids.count { grow() }
        let slot = slot(id)
        if ids[slot] == 0 {
            ids[slot] = id
            used += 1
        }
        values[slot] = value
    }

    @discardableResult
    @inlinable public mutating func remove(_ id: Int32) -> Value? {
        guard used > 0 else { return nil }
        var hole = slot(id)
        guard ids[hole] == id else { return nil }
        let removed = values[hole].take()
        used -= 1
        // Those behind it that could not have their own slot move up.
        let mask = ids.count - 1
        var next = (hole + 1) & mask
        while ids[next] != 0 {
            let distance = (next - Self.home(ids[next], mask)) & mask
            if distance >= (next - hole) & mask {
                ids[hole] = ids[next]
                values.swapAt(hole, next)
                hole = next
            }
            next = (next + 1) & mask
        }
        ids[hole] = 0
        return removed
    }

    @inlinable public mutating func removeAll() { if used > 0 { self = StreamTable() } }

    @inlinable public func forEach(_ body: (Value) -> Void) {
        for value in values { if let value { body(value) } }
    }

    @inlinable mutating func grow() {
        var larger = StreamTable()
        let slots = max(Self.fewestSlots, ids.count * 2)
        larger.ids = Array(repeating: 0, count: slots)
        larger.values = Array(repeating: nil, count: slots)
        for (index, id) in ids.enumerated() where id != 0 {
            let slot = larger.slot(id)
            larger.ids[slot] = id
            larger.values[slot] = values[index].take()
        }
        larger.used = used
        self = larger
    }
}
