import NIOCore
import RPC
import Services

/// What waits in a queue: of each priority a fair line, in which clients take turns, and of one client's requests that comes
/// first that is due first. Which of the two lines is served is its owner's to say.
struct PriorityLines<Payload: Sendable>: Sendable {
    typealias Entry = WorkQueue<Payload>.Entry

    private struct Line: Sendable {
        var order: FairLine
        /// By place in the order.
        var entries: [Entry?] = []
        /// Of each lane.
        var inputs: [Int]

        /// What stood at a place that the order has given free.
        mutating func leave(_ place: Int) -> Entry? {
            guard let entry = entries[place] else { return nil }
            entries[place] = nil
            inputs[entry.model] -= entry.inputs
            return entry
        }
    }

    private var lines: [Line]
    /// By id.
    private var places: [UInt64: (line: Int, place: Int)] = [:]
    /// All requests are as if of one client, with one priority and no deadline: first come, first served.
    private let inOrderOfArrival: Bool

    init(lanes: Int, maxClients: Int, inOrderOfArrival: Bool) {
        let line = Line(
            order: FairLine(lanes: lanes, maxClients: maxClients), inputs: Array(repeating: 0, count: lanes))
        lines = FramePriority.allCases.map { _ in line }
        self.inOrderOfArrival = inOrderOfArrival
    }

    // ---- what waits ----

    var count: Int { lines.reduce(0) { $0 + $1.order.count } }

    func count(of priority: FramePriority) -> Int { lines[priority.index].order.count }

    func inputs(in lane: Int, _ priority: FramePriority) -> Int { lines[priority.index].inputs[lane] }

    func inputs(in lane: Int) -> Int { lines.reduce(0) { $0 + $1.inputs[lane] } }

    /// Which of its lines a request stands in, or would.
    func priority(of entry: Entry) -> FramePriority { inOrderOfArrival ? .live : entry.priority }

    /// Of the client that has the most, and of the one whose request this is, in the line of that.
    func most(beside entry: Entry) -> (most: Int, own: Int) {
        let line = lines[priority(of: entry).index].order
        return (line.mostWaiting, line.waiting(of: share(of: entry)))
    }

    /// Estimated worker time of its client's requests that a newcomer stands behind in its line, and how many other clients have
    /// some there.
    func ahead(of entry: Entry) -> (cost: Double, others: Int) {
        let line = lines[priority(of: entry).index].order
        let share = share(of: entry)
        let behind = line.cost(of: share, in: entry.model, dueAfter: due(of: entry))
        return (
            max(0, line.cost(of: share) - behind), line.busyClients - (line.waiting(of: share) > 0 ? 1 : 0)
        )
    }

    func first(in lane: Int, _ priority: FramePriority) -> Entry? {
        let line = lines[priority.index]
        return line.order.first(in: lane).flatMap { line.entries[$0] }
    }

    /// Whether what is next in a lane comes before what is next in another one.
    func comes(_ lane: Int, before other: Int, _ priority: FramePriority) -> Bool {
        lines[priority.index].order.comes(lane, before: other)
    }

    /// In no order.
    func forEach(in lane: Int, _ body: (Entry) -> Void) {
        for line in lines { line.order.forEach(in: lane) { if let entry = line.entries[$0] { body(entry) } } }
    }

    func contains(where isSuch: (Entry) -> Bool) -> Bool {
        lines.contains { line in line.entries.contains { $0.map(isSuch) ?? false } }
    }

    /// Far in the future where there is none.
    func earliest(_ time: (Entry) -> NIODeadline?) -> NIODeadline {
        lines.reduce(.distantFuture) { earliest, line in
            line.entries.reduce(earliest) { min($0, $1.flatMap(time) ?? .distantFuture) }
        }
    }

    private func share(of entry: Entry) -> UInt64 { inOrderOfArrival ? 0 : entry.client.number }
    private func due(of entry: Entry) -> UInt64 { inOrderOfArrival ? 0 : entry.due }

    // ---- what happens ----

    mutating func add(_ entry: Entry) {
        let index = priority(of: entry).index
        let place = lines[index].order.add(
            client: share(of: entry), lane: entry.model, cost: entry.cost, due: due(of: entry))
        while lines[index].entries.count <= place { lines[index].entries.append(nil) }
        lines[index].entries[place] = entry
        lines[index].inputs[entry.model] += entry.inputs
        places[entry.id] = (index, place)
    }

    mutating func take(from lane: Int, _ priority: FramePriority) -> Entry? {
        guard let place = lines[priority.index].order.take(from: lane) else { return nil }
        return leave(priority.index, place)
    }

    mutating func remove(_ id: UInt64) -> Entry? {
        guard let (index, place) = places[id] else { return nil }
        lines[index].order.remove(place)
        return leave(index, place)
    }

    /// What would be served last of the client that has the most.
    mutating func removeNewest(_ priority: FramePriority) -> Entry? {
        guard let place = lines[priority.index].order.removeNewest() else { return nil }
        return leave(priority.index, place)
    }

    mutating func removeAll(where isGone: (Entry) -> Bool) -> [Entry] {
        let gone = lines.flatMap { line in line.entries.compactMap { $0 }.filter(isGone).map(\.id) }
        return gone.compactMap { remove($0) }
    }

    private mutating func leave(_ index: Int, _ place: Int) -> Entry? {
        let entry = lines[index].leave(place)
        if let entry { places[entry.id] = nil }
        return entry
    }

    /// What a request cost more than was said when it came, or less.
    mutating func charge(_ entry: Entry, _ more: Double) {
        lines[priority(of: entry).index].order.charge(client: share(of: entry), more)
    }

    /// Nothing waits, and nothing runs: what clients have had counts no more.
    mutating func rest() { for index in lines.indices { lines[index].order.rest() } }
}

extension FramePriority {
    fileprivate var index: Int { self == .live ? 0 : 1 }
    var other: FramePriority { self == .live ? .batch : .live }
}
