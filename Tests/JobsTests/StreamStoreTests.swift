import Testing

@testable import Jobs

/// Live streams in the database.
@Suite struct StreamStoreTests {
    private static func stream(_ id: String, at time: Int64 = 1000) -> StoredStream {
        StoredStream(
            id: id, owner: "ada", request: #"{"name":"straße","source":{"push":true}}"#, createdAt: .at(time))
    }

    @Test(arguments: TestDatabase.here)
    func aStreamIsItsGatewaysUntilItIsNotHeardOf(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            #expect(try await !store.hasWaitingStream(now: .at(9000)))
            try await store.create(Self.stream("s"), by: "a", until: .at(2000))
            #expect(try await !store.hasWaitingStream(now: .at(1999)))
            #expect(try await store.hasWaitingStream(now: .at(2000)))
            #expect(try await store.claimStream(by: "b", now: .at(1999), until: .at(3000)) == nil)
            #expect(try await store.renewStreams(by: "a", until: .at(5000)) == ["s"])
            #expect(try await store.claimStream(by: "b", now: .at(4999), until: .at(9000)) == nil)
            #expect(try await store.claimStream(by: "b", now: .at(5000), until: .at(9000)) == Self.stream("s"))
            // What the first one says now has no effect.
            #expect(try await store.renewStreams(by: "a", until: .at(90_000)) == [])
            try await store.setAreas("{}", ofStream: "s", by: "a")
            try await store.releaseStreams(by: "a")
            try await store.removeStream("s", by: "a")
            #expect(try await store.claimStream(by: "c", now: .at(8999), until: .at(9000)) == nil)
            #expect(try await store.renewStreams(by: "b", until: .at(9000)) == ["s"])
        }
    }

    @Test(arguments: TestDatabase.here)
    func whatIsGivenBackIsTakenAtOnceTheOldestFirst(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            for (id, time) in [("x", 3), ("y", 1), ("z", 2)] as [(String, Int64)] {
                try await store.create(Self.stream(id, at: time), by: "a", until: .at(10_000))
            }
            try await store.setAreas(#"{"zones":[]}"#, ofStream: "y", by: "a")
            try await store.releaseStreams("z", by: "a")
            #expect(try await store.renewStreams(by: "a", until: .at(10_000)) == ["x", "y"], "it was given back")
            #expect(try await store.claimStream(by: "b", now: .at(5), until: .at(9000))?.id == "z")
            #expect(try await store.claimStream(by: "b", now: .at(5), until: .at(9000)) == nil)
            try await store.releaseStreams(by: "a")
            let first = try await store.claimStream(by: "b", now: .at(5), until: .at(9000))
            #expect(first?.id == "y" && first?.areas == #"{"zones":[]}"#)
            #expect(try await store.claimStream(by: "b", now: .at(5), until: .at(9000))?.id == "x")
            try await store.removeStream("y", by: "b")
            #expect(try await store.renewStreams(by: "b", until: .at(9000)) == ["x", "z"])
        }
    }

    @Test(arguments: TestDatabase.here)
    func oneThatNoGatewayHasIsRemovedByItsOwner(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            for id in ["s", "t"] { try await store.create(Self.stream(id), by: "a", until: .at(2000)) }
            #expect(try await store.removeWaitingStream("s", of: "ada", now: .at(1999)) == false, "a gateway has it")
            #expect(try await store.removeWaitingStream("s", of: "eve", now: .at(2000)) == false)
            #expect(try await store.removeWaitingStream("s", of: "ada", now: .at(2000)))
            #expect(try await store.removeWaitingStream("s", of: "ada", now: .at(2000)) == false)
            #expect(try await store.removeWaitingStream("t", of: nil, now: .at(2000)))
        }
    }

    @Test(arguments: TestDatabase.here)
    func gatewaysThatClaimAtOneTimeGetDifferentStreams(_ database: TestDatabase) async throws {
        try await database.with { open in
            let stores = [try await JobStore(open()), try await JobStore(open())]
            for number in 0..<20 {
                try await stores[0].create(Self.stream("s\(number)", at: Int64(number)), by: "a", until: .at(0))
            }
            let claimed = try await withThrowingTaskGroup(of: [String].self) { tasks in
                for (number, store) in stores.enumerated() {
                    tasks.addTask {
                        var mine: [String] = []
                        while let stream = try await store.claimStream(
                            by: "g\(number)", now: .at(1), until: .at(9000))
                        {
                            mine.append(stream.id)
                        }
                        return mine
                    }
                }
                return try await tasks.reduce(into: []) { $0 += $1 }
            }
            // On PostgreSQL one that another gateway is about to take is passed over; it is not taken twice.
            #expect(Set(claimed) == Set((0..<20).map { "s\($0)" }) && claimed.count == 20)
            for store in stores { try await store.close() }
        }
    }
}
