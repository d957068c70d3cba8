import Foundation
import Testing

@testable import Jobs

/// Several processes at one database, of this version or others, and one that has no room.
@Suite struct JobDatabaseTests {
    private static let lease: Duration = .seconds(10)

    @Test(arguments: TestDatabase.here)
    func whatWasWrittenIsThereForTheNextProcess(_ database: TestDatabase) async throws {
        try await database.with { open in
            let job = Job.sample()
            let first = try await JobStore(open())
            try await first.create(job)
            let lease = try #require(try await first.claim(by: "a", now: .at(0), for: Self.lease)?.lease)
            try await first.append(.of(0..<3), lease)
            try await first.close()
            let second = try await JobStore(open())
            #expect(try await second.results(of: job.id, from: 0, limit: 9) == FrameBatch.of(0..<3).results)
            // The lease outlives the process, too.
            try await second.append(.of(3..<4), lease)
            #expect(try await second.setAreas("[]", of: job.id).request.areas == "[]")
            try await second.close()
        }
    }

    /// Whoever has the folder for itself knows that whoever had it before is dead; beside others nobody does.
    @Test func leasesInAFileEndWithTheLastWhoHasIt() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let far = JobTime(milliseconds: .max)
        let first = try await JobDatabase.sqlite.open(in: folder, now: .at(0))
        let job = Job.sample()
        let hook = JobWebhook(
            job: job.id, number: 0, url: "http://a/", topics: "", isForEnd: false, dueAt: .at(0))
        try await first.create(job, webhooks: [hook])
        let lease = try #require(try await first.claim(by: first.gateway, now: .at(0), for: .seconds(1_000_000))?.lease)
        try await first.append(.of(0..<3), lease)
        #expect(try await first.claimWebhook(now: .at(0), for: .seconds(1_000_000)) != nil)
        let stream = StoredStream(id: "s", owner: "", request: "{}", createdAt: .at(0))
        try await first.create(stream, by: first.gateway, until: far)
        let beside = try await JobDatabase.sqlite.open(in: folder, now: .at(0))
        #expect(try await beside.claim(by: "b", now: .at(1), for: Self.lease) == nil)
        #expect(try await beside.claimStream(by: "b", now: .at(1), until: far) == nil)
        // As the kernel does for one that is killed: nothing is given back.
        try await first.close()
        let another = try await JobDatabase.sqlite.open(in: folder, now: .at(1))
        #expect(try await another.job(job.id)?.state == .running, "there is still one beside it")
        try await beside.close()
        try await another.close()
        let next = try await JobDatabase.sqlite.open(in: folder, now: .at(2))
        #expect(try await next.job(job.id)?.state == .queued)
        let (found, new) = try #require(try await next.claim(by: "b", now: .at(2), for: Self.lease))
        #expect(found.progress.framesDone == 3 && new.number == lease.number + 1)
        #expect(try await code { try await next.append(.of(3..<4), lease) } == .leaseLost)
        #expect(try await next.claimStream(by: "b", now: .at(2), until: far) == stream)
        #expect(try await next.claimWebhook(now: .at(2), for: Self.lease) != nil)
        try await next.close()
        let left = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(
            left.contains("jobs.sqlite") && !left.contains { $0.hasSuffix("-wal") || $0.hasSuffix("-shm") }, "\(left)")
    }

    /// A gateway of a version without the lock is not seen: what it has is its own until its leases are over.
    @Test func leasesOfWhoNeverHadTheLockRunOut() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let older = try await JobStore(SQLiteDatabase(path: "\(folder)/jobs.sqlite"))
        try await older.create(.sample())
        let lease = try #require(try await older.claim(by: older.gateway, now: .at(0), for: Self.lease)?.lease)
        let stream = StoredStream(id: "s", owner: "", request: "{}", createdAt: .at(0))
        try await older.create(stream, by: older.gateway, until: .at(10_000))
        for life in 0..<2 {
            let newer = try await JobDatabase.sqlite.open(in: folder, now: .at(1))
            #expect(try await newer.claim(by: newer.gateway, now: .at(1), for: Self.lease) == nil, "life \(life)")
            #expect(try await newer.claimStream(by: newer.gateway, now: .at(1), until: .at(2)) == nil, "life \(life)")
            try await newer.close()
        }
        try await older.append(.of(0..<3), lease)
        let newer = try await JobDatabase.sqlite.open(in: folder, now: .at(20_000))
        #expect(try await newer.claim(by: newer.gateway, now: .at(20_000), for: Self.lease) != nil)
        #expect(try await newer.claimStream(by: newer.gateway, now: .at(20_000), until: .at(20_001)) == stream)
        try await newer.close()
        try await older.close()
    }

    /// Tasks are not held up meanwhile, however many wait.
    @Test func whoIsNotAloneWaitsForWhoIsWithoutAThread() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/jobs.lock"
        let first = Presence(path: path)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for index in 0..<64 {
                tasks.addTask { #expect(await Presence(path: path).share(as: "other \(index)") == nil) }
            }
            tasks.addTask { #expect(await first.share(as: "first") == nil) }
            try await tasks.waitForAll()
        }
        first.end()
        let dead = Presence(path: path).dead
        #expect(dead.count == 65 && dead.contains("first"))
    }

    @Test func whoIsNotSeenSaysWhy() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/jobs.lock"
        // It stays alone.
        let first = Presence(path: path)
        let second = Presence(path: path, shareTime: .milliseconds(20))
        #expect(await second.share(as: "second") == "another gateway kept its lock for 0.02 seconds")
        second.end()
        #expect(await first.share(as: "first") == nil)
        // The file is full.
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(repeating: 0x61, count: Presence.maxBytes))
        try handle.close()
        #expect(await Presence(path: path).share(as: "third")?.contains("no room") == true)
        // The name of the lock is one of a folder.
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(await Presence(path: path).share(as: "fourth") == "Is a directory")
        let store = try await JobDatabase.sqlite.open(in: folder, now: .at(0))
        #expect(store.unseen == "Is a directory")
        try await store.close()
        first.end()
    }

    @Test(arguments: TestDatabase.here)
    func severalGatewaysMayMakeTheTablesAtOneTime(_ database: TestDatabase) async throws {
        try await database.with { open in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<6 {
                    tasks.addTask {
                        let store = try await JobStore(open())
                        #expect(try await store.jobs(of: nil, limit: 1).isEmpty)
                        try await store.close()
                    }
                }
                try await tasks.waitForAll()
            }
        }
    }

    @Test(arguments: TestDatabase.here)
    func aDatabaseOfANewerVersionIsLeftAlone(_ database: TestDatabase) async throws {
        try await database.with { open in
            let store = try await JobStore(open())
            try await store.close()
            let newer = try open()
            try await newer.write {
                _ = try $0.run("INSERT INTO framemesh_schema (version) VALUES ($1)", [.integer(99)])
            }
            #expect(try await code { _ = try await JobStore(newer) } == .tooNew)
            try await newer.close()
        }
    }

    @Test func aFullDatabaseSaysSoAndJobsCanStillBeEndedAndRemoved() async throws {
        try await TestDatabase.sqlite.with { open in
            let raw = try open()
            let store = try await JobStore(raw)
            let jobs = (1...4).map { Job.sample(at: $0) }
            for job in jobs { try await store.create(job) }
            let lease = try #require(try await store.claim(by: "a", now: .at(0), for: Self.lease)?.lease)
            try await store.append(.of(0..<3), lease)
            // Of 4 KiB each, where there are more than ten already: none more.
            try await raw.write { _ = try $0.run("PRAGMA max_page_count = 1", []) }
            #expect(try await code { try await store.append(.of(3..<5000), lease) } == .full)
            #expect(try await store.job(jobs[0].id)?.progress.framesDone == 3)
            #expect(try await store.results(of: jobs[0].id, from: 0, limit: 9).count == 3)
            let other = try #require(try await store.claim(by: "a", now: .at(0), for: Self.lease)?.lease)
            _ = try await store.renew(other, now: .at(1), for: Self.lease)
            try await store.finish(other, as: .failed, error: "no room", storedBytes: 1, now: .at(2), keep: Self.lease)
            #expect(try await store.cancel(jobs[2].id, now: .at(3)).state == .cancelled)
            #expect(try await store.delete(jobs[3].id))
            #expect(try await store.removePiece(rows: 9) == .gone(jobs[3].id))
            try await raw.write { _ = try $0.run("PRAGMA max_page_count = 1000000", []) }
            try await store.append(.of(3..<5000), lease)
            try await store.close()
        }
    }

    /// A version that is still to come has states that this one does not know.
    @Test(arguments: TestDatabase.here)
    func jobsInStatesOfANewerVersionAreNotThere(_ database: TestDatabase) async throws {
        try await database.with { open in
            let raw = try open()
            let store = try await JobStore(raw)
            let (strange, known) = (Job.sample(at: 1, expires: 5), Job.sample(at: 2))
            for job in [strange, known] {
                try await store.create(
                    job,
                    webhooks: [
                        JobWebhook(job: job.id, number: 0, url: "", topics: "", isForEnd: false, dueAt: .at(0))
                    ])
            }
            try await raw.write {
                _ = try $0.run(
                    "UPDATE framemesh_job SET state = 'pondering', frames_done = 3 WHERE id = $1",
                    [.text(strange.id.text)])
            }
            #expect(try await store.job(strange.id) == nil)
            #expect(try await store.jobs(of: nil, limit: 9).map(\.id) == [known.id])
            #expect(try await code { _ = try await store.cancel(strange.id, now: .at(4)) } == .notFound)
            #expect(try await store.delete(strange.id) == false)
            #expect(try await store.deleteExpired(now: .at(900)).isEmpty)
            #expect(try await store.removePiece(rows: 9) == nil)
            #expect(try await store.claimWebhook(now: .at(900), for: Self.lease) == nil)
            #expect(try await store.claim(by: "a", now: .at(900), for: Self.lease)?.job.id == known.id)
            #expect(try await store.claim(by: "a", now: .at(900), for: Self.lease) == nil)
            // Its room is taken all the same.
            #expect(try await store.usage().all.bytes == 20)
            try await store.close()
        }
    }

    @Test(arguments: TestDatabase.here)
    func aTransactionThatFailsLeavesNothing(_ database: TestDatabase) async throws {
        try await database.with { open in
            let raw = try open()
            let store = try await JobStore(raw)
            let job = Job.sample()
            try await store.create(job)
            let failed = try await code {
                try await raw.write { session in
                    _ = try session.run("UPDATE framemesh_job SET name = $1", [.text("changed")])
                    _ = try session.run("SELECT nothing FROM nowhere", [])
                }
            }
            #expect(failed == .failed)
            #expect(try await store.job(job.id) == job)
            try await store.close()
        }
    }
}
