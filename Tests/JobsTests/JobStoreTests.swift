import NIOCore
import Testing

@testable import Jobs

/// What every database promises.
@Suite struct JobStoreTests {
    static let lease: Duration = .seconds(10)

    @Test(arguments: TestDatabase.here)
    func aJobIsReadAsItWasWritten(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let job = Job.sample()
            try await store.create(job)
            #expect(try await store.job(job.id) == job)
            #expect(try await store.job(JobID(at: .at(1))) == nil)
            await #expect(throws: JobError.self) { try await store.create(job) }
        }
    }

    @Test(arguments: TestDatabase.here)
    func aWholeJobLeavesItsResults(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let job = Job.sample()
            try await store.create(job)
            let (claimed, lease) = try #require(try await store.claim(by: "a", now: .at(2000), for: Self.lease))
            #expect(claimed.id == job.id && claimed.state == .running)
            var batch = FrameBatch.of(0..<150)
            (batch.dropped, batch.rate) = (3, 12.5)
            for cause in ["too late", "too late"] { batch.fail(cause) }
            try await store.append(batch, lease)
            let running = try #require(try await store.job(job.id))
            #expect(running.progress.framesDone == 150 && running.progress.framesTotal == 200)
            #expect(
                running.progress.dropped == 3 && running.progress.failed == 2
                    && running.progress.causes.list.map(\.frames) == [2] && running.progress.rate == 12.5)
            try await store.append(.of(150..<201), lease)
            try await store.finish(lease, as: .done, storedBytes: 1 << 40, now: .at(9000), keep: .seconds(60))
            let done = try #require(try await store.job(job.id))
            #expect(done.state == .done && done.progress.framesTotal == 201 && done.storedBytes == 1 << 40)
            #expect(try await store.results(of: job.id, from: 0, limit: 500) == FrameBatch.of(0..<201).results)
            #expect(try await store.results(of: job.id, from: 199, limit: 500) == FrameBatch.of(199..<201).results)
            #expect(try await store.results(of: job.id, from: 7, limit: 2) == FrameBatch.of(7..<9).results)
            #expect(try await store.results(of: job.id, from: 201, limit: 2).isEmpty)
            // Bytes are a bound, too, behind which one result more may come.
            let results = FrameBatch.of(0..<201).results
            let two = results[7].body.readableBytes + results[8].body.readableBytes
            for (bytes, count) in [(1, 1), (two, 2), (two + 1, 3), (.max, 5)] {
                let page = try await store.results(of: job.id, from: 7, limit: 5, bytes: bytes)
                #expect(page == Array(results[7..<(7 + count)]), "\(bytes)")
            }
            #expect(try await store.results(of: job.id, from: 201, limit: 2, bytes: 1).isEmpty)
            #expect(try await store.claim(by: "a", now: .at(90_000), for: Self.lease) == nil)
        }
    }

    @Test(arguments: TestDatabase.here)
    func jobsAreListedInPagesByOwner(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let jobs = (0..<7).map { Job.sample(owner: $0 == 3 ? "eve" : "ada", at: 1000 + $0) }
            for job in jobs.shuffled() { try await store.create(job) }
            let mine = jobs.filter { $0.owner == "ada" }.map(\.id).reversed() as [JobID]
            #expect(try await store.jobs(of: "ada", limit: 100).map(\.id) == mine)
            #expect(try await store.jobs(of: "ada", limit: 4).map(\.id) == Array(mine.prefix(4)))
            // The last one of a page may be gone when the next is asked for.
            #expect(try await store.delete(mine[3]))
            #expect(try await store.jobs(of: "ada", limit: 4, after: mine[3]).map(\.id) == Array(mine.dropFirst(4)))
            #expect(try await store.jobs(of: "nobody", limit: 4).isEmpty)
            #expect(try await store.jobs(of: nil, limit: 100).count == 6)
        }
    }

    @Test(arguments: TestDatabase.here)
    func theOldestWaitingJobIsClaimedFirst(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let jobs = (0..<3).map { Job.sample(at: 1000 + $0) }
            for job in jobs.reversed() { try await store.create(job) }
            for job in jobs {
                #expect(try await store.claim(by: "a", now: .at(2000), for: Self.lease)?.job.id == job.id)
            }
            #expect(try await store.claim(by: "a", now: .at(2000), for: Self.lease) == nil)
        }
    }

    @Test(arguments: TestDatabase.here)
    func ownersTakeTurnsHoweverManyJobsOneOfThemHas(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let many = (0..<50).map { Job.sample(owner: "ada", at: Int64(1000 + $0)) }
            let one = Job.sample(owner: "eve", at: 2000)
            for job in many + [one] { try await store.create(job) }
            // With one runner.
            var order: [String] = []
            for turn in 0..<4 as Range<Int64> {
                let (job, lease) = try #require(
                    try await store.claim(by: "a", now: .at(3000 + turn), for: Self.lease))
                order.append(job.owner)
                try await store.finish(lease, as: .done, storedBytes: 0, now: .at(3000 + turn), keep: .seconds(60))
            }
            #expect(order == ["ada", "eve", "ada", "ada"])
            // Who has a job at work waits for others, though his turn was the longest ago.
            _ = try await store.claim(by: "a", now: .at(3005), for: Self.lease)
            let late = Job.sample(owner: "eve", at: 3006)
            try await store.create(late)
            #expect(try await store.claim(by: "b", now: .at(3007), for: Self.lease)?.job.id == late.id)
            #expect(try await store.claim(by: "c", now: .at(3008), for: Self.lease)?.job.id == many[4].id)
        }
    }

    @Test(arguments: TestDatabase.here)
    func aLongJobGoesPieceByPieceUnseen(_ database: TestDatabase) async throws {
        try await database.with { open in
            let raw = try open()
            let store = try await JobStore(raw)
            let (long, young) = (Job.sample(at: 1, expires: 10), Job.sample(at: 2))
            for job in [long, young] { try await store.create(job) }
            let lease = try #require(try await store.claim(by: "a", now: .at(3), for: Self.lease)?.lease)
            try await store.append(.of(0..<250), lease)
            let results = FrameBatch.of(0..<250).storedBytes
            #expect(try await store.usage().all == JobUsage.Taken(jobs: 2, bytes: 20 + results))
            #expect(try await store.delete(long.id))
            #expect(try await store.usage().all == JobUsage.Taken(jobs: 1, bytes: 10 + results))
            #expect(try await store.job(long.id) == nil)
            #expect(try await store.jobs(of: nil, limit: 9).map(\.id) == [young.id])
            #expect(try await store.usage().all.jobs == 1)
            #expect(try await store.delete(long.id) == false)
            #expect(try await code { try await store.append(.of(250..<251), lease) } == .leaseLost)
            #expect(try await code { _ = try await store.cancel(long.id, now: .at(4)) } == .notFound)
            #expect(try await store.claim(by: "b", now: .at(900_000), for: Self.lease)?.job.id == young.id)
            #expect(try await store.removePiece(rows: 100) == .smaller(long.id))
            #expect(try await rows(raw) == 150)
            #expect(try await store.usage().all.bytes == 10 + FrameBatch.of(0..<150).storedBytes)
            try await store.close()
            // The gateway died in the middle; the next one goes on.
            let later = try open()
            let second = try await JobStore(later)
            #expect(try await second.removePiece(of: young.id, rows: 100) == nil)
            #expect(try await second.removePiece(of: long.id, rows: 100) == .smaller(long.id))
            #expect(try await rows(later) == 50)
            #expect(try await second.removePiece(rows: 100) == .gone(long.id))
            #expect(try await rows(later) == 0)
            #expect(try await second.removePiece(rows: 100) == nil)
            #expect(try await second.usage().all == JobUsage.Taken(jobs: 1, bytes: 10))
            try await second.close()
        }
    }

    private func rows(_ database: any SQLDatabase) async throws -> Int64 {
        try await database.read { session in
            var row = try session.run("SELECT COUNT(*) FROM framemesh_frame", [])[0]
            return try row.integer()
        }
    }

    @Test(arguments: TestDatabase.here)
    func gatewaysThatClaimAtOneTimeGetDifferentJobs(_ database: TestDatabase) async throws {
        try await database.with { open in
            let stores = [try await JobStore(open()), try await JobStore(open()), try await JobStore(open())]
            for number in 0..<20 { try await stores[0].create(.sample(at: Int64(1000 + number))) }
            let claimed = try await withThrowingTaskGroup(of: [JobID].self) { tasks in
                for (number, store) in stores.enumerated() {
                    for worker in 0..<3 {
                        tasks.addTask {
                            var mine: [JobID] = []
                            while let (job, _) = try await store.claim(
                                by: "\(number).\(worker)", now: .at(2000), for: Self.lease)
                            {
                                mine.append(job.id)
                            }
                            return mine
                        }
                    }
                }
                return try await tasks.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 20)
            #expect(Set(claimed).count == 20)
            for store in stores { try await store.close() }
        }
    }

    @Test(arguments: TestDatabase.here)
    func aJobWhoseOwnerDiedGoesOnBehindItsLastResult(_ database: TestDatabase) async throws {
        try await database.with { open in
            let (one, other) = (try await JobStore(open()), try await JobStore(open()))
            let job = Job.sample()
            try await one.create(job)
            let old = try #require(try await one.claim(by: "one", now: .at(0), for: Self.lease)?.lease)
            try await one.append(.of(0..<4), old)
            #expect(try await other.claim(by: "other", now: .at(9_999), for: Self.lease) == nil)
            let (found, new) = try #require(try await other.claim(by: "other", now: .at(10_000), for: Self.lease))
            #expect(found.progress.framesDone == 4)
            // The old owner was only asleep, and wakes up.
            #expect(try await code { try await one.append(.of(4..<6), old) } == .leaseLost)
            #expect(try await code { _ = try await one.renew(old, now: .at(10_001), for: Self.lease) } == .leaseLost)
            #expect(
                try await code {
                    try await one.finish(old, as: .done, storedBytes: 1, now: .at(10_001), keep: Self.lease)
                } == .leaseLost)
            try await other.append(.of(4..<7), new)
            #expect(try await one.results(of: job.id, from: 0, limit: 100) == FrameBatch.of(0..<7).results)
            try await one.close()
            try await other.close()
        }
    }

    @Test(arguments: TestDatabase.here)
    func aBatchIsRecordedOnceHoweverOftenItIsSent(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let job = Job.sample()
            try await store.create(job)
            let lease = try #require(try await store.claim(by: "a", now: .at(0), for: Self.lease)?.lease)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<8 { tasks.addTask { try await store.append(.of(0..<5), lease) } }
                try await tasks.waitForAll()
            }
            #expect(try await code { try await store.append(.of(6..<7), lease) } == .outOfOrder)
            #expect(try await store.job(job.id)?.progress.framesDone == 5)
            #expect(try await store.results(of: job.id, from: 0, limit: 100) == FrameBatch.of(0..<5).results)
        }
    }

    @Test(arguments: TestDatabase.here)
    func whatIsCancelledOrRemovedTakesNothingMore(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let (one, other) = (Job.sample(at: 1), Job.sample(at: 2))
            for job in [one, other] {
                try await store.create(job)
                let lease = try #require(try await store.claim(by: "a", now: .at(0), for: Self.lease)?.lease)
                try await store.append(.of(0..<5), lease)
                if job == one {
                    #expect(try await store.cancel(job.id, now: .at(3)).state == .cancelled)
                } else {
                    #expect(try await store.delete(job.id))
                }
                #expect(try await code { try await store.append(.of(5..<6), lease) } == .leaseLost)
                #expect(try await code { try await store.release(lease, .ending, now: .at(4), .short) } == .leaseLost)
            }
            #expect(try await store.results(of: one.id, from: 0, limit: 9).count == 5)
            #expect(try await store.job(other.id) == nil)
            #expect(try await store.delete(other.id) == false)
            #expect(try await code { _ = try await store.cancel(other.id, now: .at(3)) } == .notFound)
            #expect(try await code { _ = try await store.setAreas("", of: other.id) } == .notFound)
        }
    }

    @Test(arguments: TestDatabase.here)
    func expiredJobsAreRemovedWithTheirBytes(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let old = Job.sample(at: 1, expires: 100, bytes: 7)
            let running = Job.sample(at: 2, expires: 100, bytes: 20)
            let young = Job.sample(at: 3, expires: 5000, bytes: 300)
            try await store.create(running)
            _ = try #require(try await store.claim(by: "a", now: .at(50), for: Self.lease))
            for job in [old, young] {
                try await store.create(job)
                _ = try await store.cancel(job.id, now: .at(60))
            }
            #expect(try await store.usage().all == JobUsage.Taken(jobs: 3, bytes: 327))
            #expect(try await store.deleteExpired(now: .at(1000)) == [old.id])
            #expect(try await store.job(old.id) == nil)
            #expect(try await store.usage().all == JobUsage.Taken(jobs: 2, bytes: 320))
            #expect(try await store.deleteExpired(now: .at(1000)).isEmpty)
            // It is still to be done, however late that is.
            #expect(try await store.deleteExpired(now: .at(60_000)) == [young.id])
            _ = try await store.cancel(running.id, now: .at(60_000))
            #expect(try await store.deleteExpired(now: .at(60_000)).isEmpty)
            #expect(try await store.deleteExpired(now: .at(61_000)) == [running.id])
            #expect(try await store.usage().all == JobUsage.Taken())
        }
    }

    @Test(arguments: TestDatabase.here)
    func aJobThatIsGivenBackIsLeftAloneForItsPause(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let job = Job.sample()
            try await store.create(job)
            let lease = try #require(try await store.claim(by: "a", now: .at(0), for: Self.lease)?.lease)
            try await store.release(lease, .absent(waitingFor: "a coordinator"), now: .at(1000), .short)
            let waiting = try #require(try await store.job(job.id))
            #expect(waiting.state == .queued && waiting.waitingFor == "a coordinator" && waiting.worked == 1000)
            #expect(try await store.claim(by: "a", now: .at(3999), for: Self.lease) == nil)
            let again = try #require(try await store.claim(by: "a", now: .at(4000), for: Self.lease))
            #expect(again.job.worked == 1000 && again.job.fruitlessClaims == 1)
            try await store.release(again.lease, .ending, now: .at(4000), .short)
            #expect(try await store.claim(by: "a", now: .at(4000), for: Self.lease)?.job.waitingFor == "")
        }
    }

    @Test(arguments: TestDatabase.here)
    func jobsAreCountedByStateWithTheBytesOfTheirFiles(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            #expect(try await store.census() == JobCensus())
            let jobs = (0..<4).map { Job.sample(at: 1000 + $0, bytes: 10) }
            for job in jobs { try await store.create(job) }
            _ = try #require(try await store.claim(by: "a", now: .at(5000), for: Self.lease))
            _ = try await store.cancel(jobs[3].id, now: .at(5000))
            var census = try await store.census()
            #expect(census.jobs == [.queued: 2, .running: 1, .cancelled: 1])
            #expect(census.storedBytes == 40)
            // The oldest is at work.
            #expect(census.oldestQueued == .at(1001))
            #expect(try await store.delete(jobs[1].id))
            census = try await store.census()
            #expect(census.storedBytes == 30)
            #expect(census.oldestQueued == .at(1002))
        }
    }
}
