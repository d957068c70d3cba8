/// A place in a line: a number, and what came first where two are the same.
struct Rank: Comparable {
    var value: Double
    var order: UInt64

    static func < (a: Rank, b: Rank) -> Bool { a.value == b.value ? a.order < b.order : a.value < b.value }
}

/// Small numbers by rank, the lowest first: a binary heap that knows where each of its items is, so that any of them can
/// get another rank or leave in O(log n).
struct RankHeap {
    private var heap: [(item: Int, rank: Rank)] = []
    /// Of each item in `heap`; -1: it is not there.
    private var places: [Int] = []

    var first: (item: Int, rank: Rank)? { heap.first }
    var items: [Int] { heap.map(\.item) }

    /// Adds an item, or moves it.
    mutating func set(_ item: Int, _ rank: Rank) {
        while places.count <= item { places.append(-1) }
        var place = places[item]
        if place < 0 {
            place = heap.count
            heap.append((item, rank))
        } else {
            heap[place].rank = rank
        }
        settle(place)
    }

    mutating func remove(_ item: Int) {
        guard item < places.count, places[item] >= 0 else { return }
        let place = places[item]
        places[item] = -1
        let last = heap.removeLast()
        guard place < heap.count else { return }
        heap[place] = last
        settle(place)
    }

    /// What stands at `place` goes where it belongs.
    private mutating func settle(_ start: Int) {
        var place = start
        let moved = heap[place]
        while place > 0, moved.rank < heap[(place - 1) / 2].rank {
            put(heap[(place - 1) / 2], at: place)
            place = (place - 1) / 2
        }
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].rank < heap[child].rank { child += 1 }
            guard heap[child].rank < moved.rank else { break }
            put(heap[child], at: place)
            place = child
        }
        put(moved, at: place)
    }

    private mutating func put(_ entry: (item: Int, rank: Rank), at place: Int) {
        heap[place] = entry
        places[entry.item] = place
    }
}
