import Testing

@testable import Jobs

/// What jobs may take, together and each owner, on every database.
@Suite struct JobRoomTests {
    private static let lease: Duration = .seconds(10)

    private static func room(
        bytes: Int64 = .max, jobs: Int64 = .max, ownBytes: Int64 = .max, ownJobs: Int64 = .max, results: Int64 = .max
    ) -> JobRoom {
        JobRoom(
            all: JobUsage.Taken(jobs: jobs, bytes: bytes), own: JobUsage.Taken(jobs: ownJobs, bytes: ownBytes),
            results: results)
    }

    @Test(arguments: TestDatabase.here)
    func whatIsTooMuchIsNamed(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            for number in 0..<3 as Range<Int64> { try await store.create(.sample(at: number, bytes: 100)) }
            func refused(_ owner: String, _ room: JobRoom) async throws -> JobError.Code? {
                try await code { try await store.create(.sample(owner: owner, at: 9, bytes: 50), within: room) }
            }
            #expect(try await refused("eve", Self.room(bytes: 349)) == .noRoom(.bytes))
            #expect(try await refused("eve", Self.room(jobs: 3)) == .noRoom(.jobs))
            #expect(try await refused("ada", Self.room(ownBytes: 349)) == .noRoom(.bytesOfOwner))
            #expect(try await refused("ada", Self.room(ownJobs: 3)) == .noRoom(.jobsOfOwner))
            #expect(try await store.usage(of: "ada").own == JobUsage.Taken(jobs: 3, bytes: 300))
            // Of somebody else that is no matter, and what is just enough is enough.
            #expect(try await refused("eve", Self.room(bytes: 350, jobs: 4, ownBytes: 50, ownJobs: 1)) == nil)
            #expect(try await store.usage(of: "eve").own == JobUsage.Taken(jobs: 1, bytes: 50))
            #expect(try await store.usage(of: "eve").all == JobUsage.Taken(jobs: 4, bytes: 350))
        }
    }

    @Test(arguments: TestDatabase.here)
    func resultsTakeRoomLikeFiles(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let (job, other) = (Job.sample(at: 1, bytes: 10), Job.sample(owner: "eve", at: 2, bytes: 20))
            for job in [job, other] { try await store.create(job) }
            let lease = try #require(try await store.claim(by: "a", now: .at(3), for: Self.lease)?.lease)
            let (first, second) = (FrameBatch.of(0..<7), FrameBatch.of(7..<9))
            let most = 30 + first.storedBytes
            try await store.append(first, lease, within: Self.room(bytes: most))
            #expect(try await store.job(job.id)?.resultBytes == first.storedBytes)
            let tooSmall: [(JobRoom, JobError.Code)] = [
                (Self.room(bytes: most + second.storedBytes - 1), .noRoom(.bytes)),
                (Self.room(ownBytes: 10 + first.storedBytes), .noRoom(.bytesOfOwner)),
                (Self.room(results: first.storedBytes), .tooManyResults),
            ]
            for (room, expected) in tooSmall {
                #expect(try await code { try await store.append(second, lease, within: room) } == expected)
            }
            // What was recorded before is sent again without effect, and so without more room.
            try await store.append(first, lease, within: Self.room(bytes: 1, results: 1))
            #expect(try await store.results(of: job.id, from: 0, limit: 99).count == 7)
            #expect(try await store.usage().all.bytes == most)
            // How many jobs there are is no matter to one that is there.
            try await store.append(second, lease, within: Self.room(bytes: most + second.storedBytes, jobs: 1))
            #expect(try await store.usage().all.bytes == most + second.storedBytes)
        }
    }

    @Test(arguments: TestDatabase.here)
    func roomForFilesIsWhatOthersLeave(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let (one, other) = (Job.sample(at: 1, bytes: 10), Job.sample(owner: "eve", at: 2, bytes: 20))
            for job in [one, other] { try await store.create(job) }
            let first = try #require(try await store.claim(by: "a", now: .at(3), for: Self.lease)?.lease)
            let second = try #require(try await store.claim(by: "b", now: .at(3), for: Self.lease)?.lease)
            let room = Self.room(bytes: 100, ownBytes: 90)
            #expect(try await store.reserve(50, beside: 10, within: room, first) == 50)
            #expect(try await store.usage().all.bytes == 80)
            #expect(try await store.reserve(50, beside: 20, within: room, second) == 20)
            // Begun anew, it takes the place of what it had.
            #expect(try await store.reserve(60, beside: 10, within: room, first) == 50)
            #expect(try await store.usage().all.bytes == 100)
            #expect(try await store.reserve(60, beside: 10, within: Self.room(ownBytes: 45), first) == 35)
            // While somebody works on it, what is said of its files is for him to say.
            try await store.settle(one.id, storedBytes: 5)
            #expect(try await store.usage().all.bytes == 85)
            _ = try await store.cancel(one.id, now: .at(4))
            #expect(try await store.usage().all.bytes == 50)
            try await store.settle(one.id, storedBytes: 12)
            #expect(try await store.usage().all.bytes == 52)
            #expect(try await code { _ = try await store.reserve(1, beside: 0, within: room, first) } == .leaseLost)
            try await store.settle(JobID(at: .at(9)), storedBytes: 1)
        }
    }

    /// Whose work was interrupted while room was reserved, and who is cancelled or given up before it goes on.
    @Test(arguments: TestDatabase.here)
    func noRoomIsLostWithAnInterruption(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let jobs = (1...3).map { Job.sample(at: $0, bytes: 10) }
            for job in jobs { try await store.create(job) }
            for _ in jobs {
                let lease = try #require(try await store.claim(by: "a", now: .at(10), for: Self.lease)?.lease)
                #expect(try await store.reserve(50, beside: 10, within: .unlimited, lease) == 50)
                try await store.release(lease, .failed(waitingFor: "x"), now: .at(10), .short)
            }
            #expect(try await store.usage().all.bytes == 30)
            #expect(try await store.cancel(jobs[0].id, now: .at(11)).reservedBytes == 0)
            #expect(try await store.delete(jobs[1].id))
            // The third takes its gateways down.
            for turn in 0..<10 as Range<Int64> {
                guard
                    let lease = try await store.claim(by: "a", now: .at(100_000 + turn * 10_000), for: Self.lease)?
                        .lease
                else { break }
                #expect(try await store.reserve(50, beside: 10, within: .unlimited, lease) == 50)
            }
            #expect(try await store.job(jobs[2].id)?.state == .failed)
            #expect(try await store.usage().all.bytes == 20)
        }
    }

    /// As a gateway leaves it that knows nothing of reservations.
    @Test(arguments: TestDatabase.here)
    func onlyWhoWorksHoldsReservedRoom(_ database: TestDatabase) async throws {
        try await database.with { open in
            let raw = try open()
            let store = try await JobStore(raw)
            try await store.create(.sample(at: 1, bytes: 10))
            let lease = try #require(try await store.claim(by: "a", now: .at(3), for: Self.lease)?.lease)
            #expect(try await store.reserve(50, beside: 10, within: .unlimited, lease) == 50)
            #expect(try await store.usage().all.bytes == 60)
            try await raw.write { _ = try $0.run("UPDATE framemesh_job SET state = 'done'", []) }
            #expect(try await store.usage().all.bytes == 10)
            #expect(try await store.census().storedBytes == 10)
            try await store.close()
        }
    }

    /// Each gateway has connections of its own. PostgreSQL's transactions do not see what others are about to write.
    @Test(arguments: TestDatabase.here)
    func gatewaysThatAskAtOneTimeNeverTakeTheSameRoom(_ database: TestDatabase) async throws {
        try await database.with { open in
            let stores = [try await JobStore(open()), try await JobStore(open()), try await JobStore(open())]
            for number in 0..<12 as Range<Int64> { try await stores[0].create(.sample(at: number, bytes: 0)) }
            var leases: [Lease] = []
            while let lease = try await stores[0].claim(by: "a", now: .at(100), for: Self.lease)?.lease {
                leases.append(lease)
            }
            #expect(leases.count == 12)
            for round in 1...10 as ClosedRange<Int64> {
                let room = Self.room(bytes: round * 1000)
                let granted = try await withThrowingTaskGroup(of: Int64.self) { tasks in
                    for (number, lease) in leases.enumerated() {
                        let store = stores[number % stores.count]
                        tasks.addTask { try await store.reserve(round * 300, beside: 0, within: room, lease) }
                    }
                    return try await tasks.reduce(0, +)
                }
                #expect(try await stores[0].usage().all.bytes <= round * 1000)
                #expect(granted >= round * 300)
            }
            // Also those who come with new ones.
            let taken = try await stores[0].usage().all
            let room = Self.room(bytes: taken.bytes + 250, jobs: taken.jobs + 2)
            let made = await withTaskGroup(of: Bool.self) { tasks in
                for number in 0..<12 as Range<Int64> {
                    let store = stores[Int(number) % stores.count]
                    tasks.addTask {
                        (try? await store.create(.sample(at: 200 + number, bytes: 100), within: room)) != nil
                    }
                }
                return await tasks.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(made == 2)
            #expect(try await stores[0].usage().all.bytes == taken.bytes + 200)
            for store in stores { try await store.close() }
        }
    }
}
