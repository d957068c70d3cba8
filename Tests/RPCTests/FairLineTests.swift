import Testing

@testable import RPC

@Suite struct FairLineTests {
    /// A line whose work is named by its client.
    private struct Named {
        var line: FairLine
        var names: [Int: UInt64] = [:]

        init(lanes: Int = 1, maxClients: Int = 100) { line = FairLine(lanes: lanes, maxClients: maxClients) }

        @discardableResult
        mutating func add(_ client: UInt64, lane: Int = 0, cost: Double = 1, due: UInt64 = 0) -> Int {
            let place = line.add(client: client, lane: lane, cost: cost, due: due)
            #expect(names[place] == nil, "a place has one owner")
            names[place] = client
            return place
        }

        mutating func take(_ count: Int = 1, from lane: Int = 0) -> [UInt64] {
            (0..<count).compactMap { _ in line.take(from: lane).flatMap { names.removeValue(forKey: $0) } }
        }

        mutating func remove(_ place: Int) {
            line.remove(place)
            names[place] = nil
        }

        mutating func removeNewest() -> UInt64? { line.removeNewest().flatMap { names.removeValue(forKey: $0) } }
    }

    @Test func oneClientIsServedInOrder() {
        var line = FairLine(maxClients: 1)
        let places = (0..<5).map { _ in line.add(client: 1) }
        #expect((0..<5).map { _ in line.take() } == places)
        #expect(line.take() == nil && line.count == 0)
    }

    @Test func whatIsDueFirstComesFirstOfOneClient() {
        var line = FairLine(maxClients: 2)
        var names: [Int: Int] = [:]
        for (name, due) in [30, 10, 20, 10, 40, 5].enumerated() {
            names[line.add(client: 1, due: UInt64(due))] = name
        }
        #expect(line.cost(of: 1, in: 0, dueAfter: 20) == 2 && line.cost(of: 1, in: 0, dueAfter: 40) == 0)
        #expect(line.cost(of: 2, in: 0, dueAfter: 0) == 0)
        // What would be last leaves first.
        #expect(line.removeNewest().flatMap { names[$0] } == 4)
        #expect((0..<5).compactMap { _ in line.take().flatMap { names[$0] } } == [5, 1, 3, 2, 0])
        #expect(line.take() == nil && line.count == 0)
    }

    /// Who is in a hurry overtakes its own work, not that of others.
    @Test func anEarlyDueBringsNoMoreTurns() {
        var named = Named()
        for client: UInt64 in [1, 2] { for _ in 0..<6 { named.add(client, due: 100) } }
        _ = named.take(2)
        for due: UInt64 in [9, 8, 7, 6, 5, 4] { named.add(1, due: due) }
        #expect(named.take(10).count { $0 == 1 } == 5)
    }

    @Test func overtakenWorkIsChargedAsIfItHadComeLater() {
        var named = Named()
        named.add(1, cost: 1, due: 100)
        for _ in 0..<5 { named.add(2, cost: 1, due: 100) }
        // It takes the turn of the cheap one, and the client pays for four.
        named.add(1, cost: 4, due: 1)
        #expect(named.take(7) == [1, 2, 2, 2, 2, 1, 2])
    }

    @Test func clientsTakeTurnsHoweverMuchEachHas() {
        var named = Named()
        for _ in 0..<100 { named.add(1) }
        #expect(named.take(10) == Array(repeating: 1, count: 10))
        for _ in 0..<3 { named.add(2) }
        #expect(named.take(8) == [2, 1, 2, 1, 2, 1, 1, 1])
    }

    @Test func turnsAreAsLongAsWorkIsCheap() {
        var named = Named()
        for _ in 0..<4 { named.add(1, cost: 3) }
        for _ in 0..<12 { named.add(2, cost: 1) }
        #expect(named.take(16).prefix(12) == [1, 2, 2, 2, 1, 2, 2, 2, 1, 2, 2, 2])
    }

    @Test func whoHadNothingSavesNothingUp() {
        var named = Named()
        named.add(2)
        _ = named.take()
        for _ in 0..<100 { named.add(1) }
        _ = named.take(50)
        for _ in 0..<50 { named.add(2) }
        #expect(named.take(10).count { $0 == 2 } <= 6)
    }

    @Test func theShareIsOneForAllLanes() {
        var named = Named(lanes: 2)
        for lane in 0...1 { for _ in 0..<20 { named.add(1, lane: lane) } }
        for _ in 0..<20 { named.add(2, lane: 1) }
        var taken: [UInt64] = []
        for _ in 0..<20 { taken += named.take(from: named.line.comes(0, before: 1) ? 0 : 1) }
        #expect((9...11).contains(taken.count { $0 == 2 }), "\(taken)")
    }

    @Test func whatIsTakenOutIsNotCharged() {
        var named = Named()
        let gone = (0..<10).map { _ in named.add(1, cost: 5) }
        for place in gone { named.remove(place) }
        named.add(2)
        named.add(1)
        named.add(2)
        #expect(named.take(3) == [2, 1, 2])
    }

    @Test func theNewestOfTheBusiestGivesWay() {
        var named = Named(lanes: 2)
        named.add(1)
        let older = named.add(2)
        let newer = named.add(2, lane: 1)
        #expect(named.line.mostWaiting == 2)
        #expect(named.line.removeNewest() == newer)
        named.names[newer] = nil
        #expect([named.line.mostWaiting, named.line.waiting(of: 1), named.line.waiting(of: 2)] == [1, 1, 1])
        named.remove(older)
        #expect(named.removeNewest() == 1)
        #expect(named.removeNewest() == nil)
    }

    @Test func whatWorkCostBeyondWhatWasSaidIsChargedLater() {
        var named = Named()
        for _ in 0..<10 { named.add(1) }
        for _ in 0..<10 { named.add(2) }
        #expect(named.take(2) == [1, 2])
        named.line.charge(client: 1, 4)
        // The next one of each had its turn already.
        #expect(named.take(8) == [1, 2, 2, 2, 2, 2, 1, 2])
    }

    @Test func afterARestAllBeginAlike() {
        var named = Named()
        named.add(1)
        _ = named.take()
        named.line.charge(client: 1, 1000)
        named.line.rest()
        named.add(1)
        for _ in 0..<3 { named.add(2) }
        #expect(named.take(2) == [1, 2])
    }

    /// However many come and go, few are remembered, and their places are used again.
    @Test func manyClientsNeedLittle() {
        var named = Named(maxClients: 8)
        for client in 0..<10_000 as Range<UInt64> {
            let place = named.add(client)
            #expect(place < 4)
            if client >= 3 { _ = named.take() }
        }
        #expect(named.line.count == 3)
        #expect(named.line.busyClients == 3)
        #expect(named.line.knownClients <= 12)
    }

    /// Random steps beside a plain reckoning of what is there.
    @Test(arguments: 1...5 as ClosedRange<UInt64>) func nothingIsLostOrServedTwice(_ seed: UInt64) {
        var state = seed
        func random(_ limit: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % limit
        }
        var named = Named(lanes: 3, maxClients: 4)
        for _ in 0..<20_000 {
            switch random(8) {
            case 0...3: named.add(random(10), lane: Int(random(3)), cost: Double(1 + random(5)), due: random(6))
            case 4, 5:
                let lane = Int(random(3))
                let first = named.line.first(in: lane)
                #expect((first == nil) == named.take(from: lane).isEmpty)
            case 6:
                if let place = named.names.keys.min() { named.remove(place) }
            default:
                let most = named.line.mostWaiting
                let gone = named.removeNewest()
                #expect(gone.map { named.line.waiting(of: $0) + 1 } ?? 0 == most)
            }
            #expect(named.line.count == named.names.count)
            #expect(named.line.busyClients == Set(named.names.values).count)
        }
        for lane in 0..<3 { while !named.take(from: lane).isEmpty {} }
        #expect(named.names.isEmpty && named.line.count == 0 && named.line.mostWaiting == 0)
        #expect((0..<10).allSatisfy { named.line.cost(of: $0) == 0 })
    }
}
