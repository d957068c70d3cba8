/// The order in which work of many clients is served, so that each client with work gets the same: start-time fair
/// queueing (Goyal, Vin and Cheng, 1996), by cost. Who has nothing waiting saves nothing up.
///
/// A value that knows numbers only. `add` says which place a piece of work has, its owner keeps the work itself under that
/// number, and each place is free again after `take`, `remove` or `removeNewest`. Work stands in *lanes*, of which its
/// owner takes as it likes; a client's share is one for all of them. Each step is O(log n), and nothing is allocated once
/// there was as much work, and as many clients, before.
///
/// Of one client's work in a lane, what is due first comes first, and of that the oldest. Who adds work that is due later than
/// all the client has there, as is usual, pays nothing for that order; else a step for each piece that is overtaken.
///
/// A client's first work in a lane gets a *start tag* when it comes to the front: the line's virtual time, or where the
/// client's last work ends in it, whichever is later. The lowest tag is served next.
package struct FairLine: Sendable {
    private static let none = -1

    private struct Place {
        var client: Int
        var lane: Int
        var cost: Double
        var due: UInt64
        var order: UInt64
        var next = FairLine.none
        var previous = FairLine.none
    }

    /// The work of one client in one lane, what is due first at the front.
    private struct Flow {
        var first = FairLine.none
        var last = FairLine.none
        /// Of the first; known while there is one.
        var tag = 0.0
    }

    private struct Client {
        let key: UInt64
        /// Where its last work that was tagged ends, in virtual time.
        var finish: Double
        var waiting = 0
        var cost = 0.0
    }

    private let lanes: Int
    private let maxClients: Int
    private var places: [Place] = []
    private var freePlaces: [Int] = []
    private var clients: [Client?] = []
    private var freeClients: [Int] = []
    private var known: [UInt64: Int] = [:]
    /// Those of client n begin at n × `lanes`.
    private var flows: [Flow] = []
    /// The flows of each lane that have work, by the tag of their first.
    private var fronts: [RankHeap]
    /// Clients with work, the one with the most first.
    private var busiest = RankHeap()
    private var virtualTime = 0.0
    private var latestFinish = 0.0
    private var added: UInt64 = 0
    package private(set) var count = 0
    /// Clients with work.
    package private(set) var busyClients = 0

    /// - Parameter maxClients: clients without work that are remembered, for what they have had of late. At least one.
    package init(lanes: Int = 1, maxClients: Int) {
        self.lanes = lanes
        self.maxClients = max(1, maxClients)
        fronts = Array(repeating: RankHeap(), count: lanes)
    }

    // ---- what it says ----

    package func waiting(of client: UInt64) -> Int { find(client).map { $0.waiting } ?? 0 }

    /// Also those without work.
    var knownClients: Int { known.count }

    /// Of what waits, the sum.
    package func cost(of client: UInt64) -> Double { find(client).map { $0.cost } ?? 0 }

    /// Of what a client has in a lane, the sum of what is due after `due`.
    package func cost(of key: UInt64, in lane: Int, dueAfter due: UInt64) -> Double {
        guard let client = known[key] else { return 0 }
        var sum = 0.0
        var place = flows[client * lanes + lane].last
        while place != Self.none, places[place].due > due {
            sum += places[place].cost
            place = places[place].previous
        }
        return sum
    }

    /// The most that one client has waiting.
    package var mostWaiting: Int { busiest.first.flatMap { clients[$0.item]?.waiting } ?? 0 }

    /// The place of what is next in a lane.
    package func first(in lane: Int = 0) -> Int? { fronts[lane].first.map { flows[$0.item].first } }

    /// Whether what is next in a lane comes before what is next in another one.
    package func comes(_ lane: Int, before other: Int) -> Bool {
        guard let own = fronts[lane].first?.rank else { return false }
        return fronts[other].first.map { own < $0.rank } ?? true
    }

    /// All places of a lane, in no order.
    package func forEach(in lane: Int, _ body: (Int) -> Void) {
        for flow in fronts[lane].items {
            var place = flows[flow].first
            while place != Self.none {
                body(place)
                place = places[place].next
            }
        }
    }

    private func find(_ key: UInt64) -> Client? { known[key].flatMap { clients[$0] } }

    // ---- what happens ----

    /// - Parameters:
    ///   - cost: in any unit that all work of the line has; above 0.
    ///   - due: in any unit; where all work has the same, it is served in the order in which it came.
    /// - Returns: its place.
    package mutating func add(client key: UInt64, lane: Int = 0, cost: Double = 1, due: UInt64 = 0) -> Int {
        let client = enter(key)
        added += 1
        let place = freePlaces.popLast() ?? places.count
        let flow = client * lanes + lane
        let work = Place(client: client, lane: lane, cost: cost, due: due, order: added)
        if place == places.count { places.append(work) } else { places[place] = work }
        insert(place, into: flow)
        count += 1
        change(client, by: 1, cost)
        return place
    }

    /// Takes what is next in a lane.
    package mutating func take(from lane: Int = 0) -> Int? {
        guard let front = fronts[lane].first else { return nil }
        let place = flows[front.item].first
        virtualTime = max(virtualTime, front.rank.value)
        leave(place)
        return place
    }

    /// Takes out what need not be served any more; its client is charged nothing for it.
    package mutating func remove(_ place: Int) {
        let work = places[place]
        if flows[work.client * lanes + work.lane].first == place { clients[work.client]?.finish -= work.cost }
        leave(place)
    }

    /// Takes out what would be served last of the client that has the most: in a lane what is due last, of several lanes the
    /// newest of these.
    package mutating func removeNewest() -> Int? {
        guard let client = busiest.first?.item else { return nil }
        let last = (0..<lanes).map { flows[client * lanes + $0].last }.filter { $0 != Self.none }
        guard let newest = last.max(by: { places[$0].order < places[$1].order }) else { return nil }
        remove(newest)
        return newest
    }

    /// What a client's work cost more than was said when it was added, or less.
    package mutating func charge(client key: UInt64, _ more: Double) {
        guard let client = known[key], let finish = clients[client]?.finish else { return }
        clients[client]?.finish = finish + more
        latestFinish = max(latestFinish, finish + more)
    }

    /// Nothing waits, and nothing that was taken is still being served: what clients have had counts no more.
    package mutating func rest() { virtualTime = max(virtualTime, latestFinish) }

    // ---- parts ----

    private mutating func insert(_ place: Int, into flow: Int) {
        var previous = flows[flow].last
        while previous != Self.none, places[previous].due > places[place].due { previous = places[previous].previous }
        let next = previous == Self.none ? flows[flow].first : places[previous].next
        places[place].previous = previous
        places[place].next = next
        if next == Self.none { flows[flow].last = place } else { places[next].previous = place }
        guard previous == Self.none else { return places[previous].next = place }
        flows[flow].first = place
        // It takes over the turn of the one that it overtakes, which is tagged anew when it comes to the front again.
        if next == Self.none { tag(flow) } else { pass(from: next, to: place, flow) }
    }

    private mutating func pass(from overtaken: Int, to place: Int, _ flow: Int) {
        let client = flow / lanes
        let finish = (clients[client]?.finish ?? 0) + places[place].cost - places[overtaken].cost
        clients[client]?.finish = finish
        latestFinish = max(latestFinish, finish)
    }

    private mutating func enter(_ key: UInt64) -> Int {
        if let client = known[key] { return client }
        if known.count - busyClients >= maxClients { forget() }
        let client = freeClients.popLast() ?? clients.count
        let new = Client(key: key, finish: virtualTime)
        if client == clients.count {
            clients.append(new)
            for _ in 0..<lanes { flows.append(Flow()) }
        } else {
            clients[client] = new
        }
        known[key] = client
        return client
    }

    /// Those without work whose time has come again, and if there are none, all without work.
    private mutating func forget() {
        let idle = clients.indices.filter { clients[$0]?.waiting == 0 }
        let past = idle.filter { clients[$0].map { $0.finish <= virtualTime } ?? false }
        for client in past.isEmpty ? idle : past {
            guard let key = clients[client]?.key else { continue }
            known[key] = nil
            clients[client] = nil
            freeClients.append(client)
        }
    }

    /// The first of a flow comes to the front.
    private mutating func tag(_ flow: Int) {
        let client = flow / lanes
        let place = flows[flow].first
        let start = max(virtualTime, clients[client]?.finish ?? 0)
        clients[client]?.finish = start + places[place].cost
        latestFinish = max(latestFinish, start + places[place].cost)
        flows[flow].tag = start
        fronts[flow % lanes].set(flow, Rank(value: start, order: places[place].order))
    }

    private mutating func leave(_ place: Int) {
        let work = places[place]
        let flow = work.client * lanes + work.lane
        if work.next == Self.none {
            flows[flow].last = work.previous
        } else {
            places[work.next].previous = work.previous
        }
        if work.previous != Self.none {
            places[work.previous].next = work.next
        } else {
            flows[flow].first = work.next
            if work.next == Self.none { fronts[work.lane].remove(flow) } else { tag(flow) }
        }
        freePlaces.append(place)
        count -= 1
        change(work.client, by: -1, -work.cost)
    }

    private mutating func change(_ client: Int, by number: Int, _ cost: Double) {
        guard var changed = clients[client] else { return }
        let before = changed.waiting
        changed.waiting += number
        // Nothing costs nothing, whatever sums of fractions say.
        changed.cost = changed.waiting == 0 ? 0 : changed.cost + cost
        clients[client] = changed
        busyClients += (changed.waiting > 0 ? 1 : 0) - (before > 0 ? 1 : 0)
        if changed.waiting > 0 {
            busiest.set(client, Rank(value: -Double(changed.waiting), order: UInt64(client)))
        } else {
            busiest.remove(client)
        }
    }
}
