/// Elements that wait in lines, first come first served. Whoever waits can leave at once, wherever it stands: nobody is
/// searched for and nobody moves up, however long the line is.
///
/// Each line is a value of its owner; what is in them shares the memory here, which goes when nobody waits.
struct WaitingLines<Element> {
    struct Line {
        fileprivate var first: Int?
        fileprivate var last: Int?

        var isEmpty: Bool { first == nil }
    }

    /// Where an element waits, until it leaves; it may change lines meanwhile.
    struct Place: Sendable, Hashable {
        fileprivate let slot: Int
        /// Slots are used again.
        fileprivate let number: UInt64
    }

    private struct Slot {
        var element: Element?
        var number: UInt64 = 0
        var next: Int?
        var previous: Int?
    }

    private var slots: [Slot] = []
    /// Slots without an element are chained by `next`.
    private var free: Int?
    private var lastNumber: UInt64 = 0
    private(set) var count = 0

    /// nil: it waits no more.
    subscript(place: Place) -> Element? { holds(place) ? slots[place.slot].element : nil }

    func first(of line: Line) -> Element? { line.first.flatMap { slots[$0].element } }

    mutating func append(_ element: Element, to line: inout Line) -> Place {
        lastNumber += 1
        count += 1
        let slot = freeSlot()
        slots[slot].element = element
        slots[slot].number = lastNumber
        link(slot, to: &line)
        return Place(slot: slot, number: lastNumber)
    }

    /// The first of one line goes to the end of another one.
    mutating func moveFirst(of line: inout Line, to other: inout Line, _ change: (inout Element?) -> Void) {
        guard let slot = line.first else { return }
        unlink(slot, from: &line)
        change(&slots[slot].element)
        link(slot, to: &other)
    }

    mutating func removeFirst(of line: inout Line) -> Element? { line.first.flatMap { remove($0, from: &line) } }

    /// - Parameter line: where it waits.
    mutating func remove(_ place: Place, from line: inout Line) -> Element? {
        holds(place) ? remove(place.slot, from: &line) : nil
    }

    private func holds(_ place: Place) -> Bool {
        place.slot < slots.count && slots[place.slot].number == place.number
    }

    private mutating func remove(_ slot: Int, from line: inout Line) -> Element? {
        unlink(slot, from: &line)
        let element = slots[slot].element.take()
        slots[slot].number = 0
        slots[slot].next = free
        free = slot
        count -= 1
        if count == 0 { (slots, free) = ([], nil) }
        return element
    }

    private mutating func freeSlot() -> Int {
        guard let slot = free else {
            slots.append(Slot())
            return slots.count - 1
        }
        free = slots[slot].next
        return slot
    }

    private mutating func link(_ slot: Int, to line: inout Line) {
        (slots[slot].previous, slots[slot].next) = (line.last, nil)
        if let last = line.last { slots[last].next = slot } else { line.first = slot }
        line.last = slot
    }

    private mutating func unlink(_ slot: Int, from line: inout Line) {
        let (previous, next) = (slots[slot].previous, slots[slot].next)
        if let previous { slots[previous].next = next } else { line.first = next }
        if let next { slots[next].previous = previous } else { line.last = previous }
    }
}
