import NIOCore
import Testing

@testable import Jobs

/// Databases of older versions, with jobs in them, become this version's, and the work goes on.
@Suite struct JobMigrationTests {
    private static let lease: Duration = .seconds(10)

    /// A version and the database that it is in.
    struct Old: Sendable, CustomTestStringConvertible {
        var version: Int
        var database: TestDatabase

        var testDescription: String { "version \(version) in \(database)" }

        static let all = TestDatabase.here.flatMap { database in (1...7).map { Old(version: $0, database: database) } }
    }

    private enum Row {
        static let queued = JobID("0000000000010000000000000000000a")!
        static let running = JobID("0000000000020000000000000000000b")!
        static let done = JobID("0000000000030000000000000000000c")!
        static let deleting = JobID("0000000000040000000000000000000d")!
    }

    /// As the statements of that time wrote them.
    private static func insert(
        _ id: JobID, _ state: String, frames: Int64, stored: Int64, lease: (number: Int64, until: Int64?) = (0, nil),
        _ session: any SQLSession
    ) throws {
        _ = try session.run(
            """
            INSERT INTO framemesh_job (id, owner, name, pipeline, min_confidence, annotate, areas, created_at, started_at,
                finished_at, expires_at, stored_bytes, state, error, width, height, frame_rate, frames_done, frames_total,
                dropped, failed, rate, lease_gateway, lease_number, lease_until, fruitless_claims)
            VALUES ($1, 'ada', 'straße', 'detect', 0.25, 1, '{}', 1000, NULL, NULL, 90000, $2, $3, '', 640, 480, 29.97, $4,
                20, 0, 0, 12.5, 'old', $5, $6, 2)
            """,
            [
                .text(id.text), .integer(stored), .text(state), .integer(frames), .integer(lease.number),
                SQLValue(lease.until),
            ])
        for result in FrameBatch.of(0..<frames).results {
            _ = try session.run(
                "INSERT INTO framemesh_frame (job, sequence, body) VALUES ($1, $2, $3)",
                [.text(id.text), .integer(result.sequence), .bytes(result.body)])
        }
    }

    private static func make(_ old: Old, _ session: any SQLSession, _ dialect: SQLDialect) throws {
        _ = try session.run("CREATE TABLE framemesh_schema (version BIGINT NOT NULL)", [])
        for (number, statements) in JobSchema.versions(dialect).prefix(old.version).enumerated() {
            for statement in statements { _ = try session.run(statement, []) }
            _ = try session.run("INSERT INTO framemesh_schema (version) VALUES ($1)", [.integer(Int64(number + 1))])
        }
        try insert(Row.queued, "queued", frames: 0, stored: 10, session)
        try insert(Row.running, "running", frames: 5, stored: 20, lease: (3, 50_000), session)
        try insert(Row.done, "done", frames: 9, stored: 30, session)
        try insert(Row.deleting, "deleting", frames: 7, stored: 0, session)
        if old.version >= 2 {
            _ = try session.run("UPDATE framemesh_job SET worked_ms = 7000 WHERE id = $1", [.text(Row.running.text)])
            _ = try session.run("INSERT INTO framemesh_turn (owner, claimed_at) VALUES ('ada', 500)", [])
        }
        if old.version >= 3 {
            _ = try session.run(
                """
                INSERT INTO framemesh_webhook (job, number, url, topics, frames_told, events_told, failures, is_for_end,
                    due_at, lease_number, lease_until)
                VALUES ($1, 0, 'https://example.org/', 'done', 4, 2, 1, 0, 0, 6, NULL)
                """, [.text(Row.done.text)])
        }
    }

    @Test(arguments: Old.all)
    func jobsOfAnOlderVersionAreReadAndGoneOnWith(_ old: Old) async throws {
        try await old.database.with { open in
            let raw = try open()
            let dialect = raw.dialect
            try await raw.write { try Self.make(old, $0, dialect) }
            let store = try await JobStore(raw)
            // That may take its time, and is not waited for.
            #expect(try await store.jobs(of: "ada", limit: 9).map(\.resultBytes) == [0, 0, 0])
            try await store.countOldResults()
            try await allIsThere(store, old)
            try await workGoesOn(store)
            try await whatIsLeftGoes(store)
            try await store.close()
            // Once is enough.
            let again = try await JobStore(open())
            #expect(try await again.job(Row.queued)?.state == .done)
            try await again.close()
        }
    }

    private func allIsThere(_ store: JobStore, _ old: Old) async throws {
        let jobs = try await store.jobs(of: "ada", limit: 9)
        #expect(jobs.map(\.id) == [Row.done, Row.running, Row.queued])
        #expect(jobs.map(\.state) == [.done, .running, .queued])
        #expect(jobs.map(\.storedBytes) == [30, 20, 10] && jobs.allSatisfy { $0.reservedBytes == 0 })
        let bytes = [9, 5, 0].map { FrameBatch.of(0..<$0).storedBytes }
        #expect(jobs.map(\.resultBytes) == bytes)
        let deleted = FrameBatch.of(0..<7).storedBytes
        #expect(
            try await store.usage(of: "ada").own
                == JobUsage.Taken(jobs: 3, bytes: 60 + bytes.reduce(0, +) + deleted))
        #expect(jobs[0].name == "straße" && jobs[0].request.minConfidence == 0.25 && jobs[0].video.frameRate == 29.97)
        #expect(jobs.allSatisfy { $0.video.duration == nil })
        #expect(jobs[1].worked == (old.version >= 2 ? 7000 : 0))
        #expect(jobs[1].lease == Lease(job: Row.running, gateway: "old", number: 3, until: .at(50_000)))
        #expect(try await store.results(of: Row.done, from: 0, limit: 99) == FrameBatch.of(0..<9).results)
        #expect(try await store.webhooks(of: Row.done).map(\.framesTold) == (old.version >= 3 ? [4] : []))
    }

    private func workGoesOn(_ store: JobStore) async throws {
        // The old owner is still at it, and knows nothing of the new columns.
        let old = Lease(job: Row.running, gateway: "old", number: 3, until: .at(50_000))
        try await store.append(.of(5..<6), old)
        _ = try await store.renew(old, now: .at(45_000), for: Self.lease)
        let (queued, first) = try #require(try await store.claim(by: "new", now: .at(46_000), for: .seconds(100)))
        #expect(queued.id == Row.queued)
        #expect(try await store.claim(by: "new", now: .at(46_000), for: Self.lease) == nil)
        let (running, second) = try #require(try await store.claim(by: "new", now: .at(60_000), for: Self.lease))
        #expect(running.id == Row.running && running.progress.framesDone == 6 && second.number == 4)
        #expect(try await code { try await store.append(.of(6..<7), old) } == .leaseLost)
        var batch = FrameBatch.of(6..<8)
        batch.fail("no node")
        try await store.append(batch, second)
        #expect(try await store.job(Row.running)?.progress.causes.list.map(\.words) == ["no node"])
        for lease in [first, second] {
            try await store.finish(lease, as: .done, storedBytes: 5, now: .at(61_000), keep: Self.lease)
        }
        if let webhook = try await store.claimWebhook(now: .at(61_000), for: Self.lease) {
            #expect(webhook.job == Row.done && webhook.failures == 1 && webhook.leaseNumber == 7)
            try await store.record(webhook, holdingUntil: nil)
        }
    }

    private func whatIsLeftGoes(_ store: JobStore) async throws {
        #expect(try await store.removePiece(rows: 4) == .smaller(Row.deleting))
        #expect(try await store.removePiece(rows: 4) == .gone(Row.deleting))
        #expect(try await store.delete(Row.done))
        #expect(try await store.removePiece(rows: 99) == .gone(Row.done))
        let results = FrameBatch.of(0..<8).storedBytes
        #expect(try await store.usage().all == JobUsage.Taken(jobs: 2, bytes: 10 + results))
    }
}
