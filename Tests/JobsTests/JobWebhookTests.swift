import Testing

@testable import Jobs

/// What is still to be told of jobs, on every database.
@Suite struct JobWebhookTests {
    private static let lease: Duration = .seconds(10)

    private static func webhook(_ job: Job, _ number: Int64 = 0, isForEnd: Bool = false) -> JobWebhook {
        JobWebhook(
            job: job.id, number: number, url: "https://example.org/ü?a=b", topics: "enter,done", isForEnd: isForEnd,
            dueAt: .at(0))
    }

    @Test(arguments: TestDatabase.here)
    func aWebhookIsDueWhereThereIsNews(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let job = Job.sample()
            try await store.create(job, webhooks: [Self.webhook(job), Self.webhook(job, 1, isForEnd: true)])
            #expect(try await store.claimWebhook(now: .at(1), for: Self.lease) == nil)
            let work = try #require(try await store.claim(by: "a", now: .at(1), for: Self.lease)?.lease)
            try await store.append(.of(0..<5), work)
            var first = try #require(try await store.claimWebhook(now: .at(1), for: Self.lease))
            #expect(first.number == 0 && first.url == Self.webhook(job).url && first.topics == "enter,done")
            #expect(try await store.claimWebhook(now: .at(1), for: Self.lease) == nil)
            (first.framesTold, first.eventsTold, first.failures, first.dueAt) = (5, 2, 1, .at(100))
            try await store.record(first, holdingUntil: nil)
            // All is told, and nothing is due.
            #expect(try await store.claimWebhook(now: .at(500), for: Self.lease) == nil)
            try await store.finish(work, as: .done, storedBytes: 0, now: .at(50), keep: .seconds(60))
            #expect(try await store.claimWebhook(now: .at(60), for: Self.lease)?.number == 1)
            let again = try #require(try await store.claimWebhook(now: .at(100), for: Self.lease))
            #expect(again.number == 0 && again.framesTold == 5 && again.eventsTold == 2 && again.failures == 1)
            // What became of it stays with the job.
            var over = again
            (over.delivered, over.failed, over.dropped, over.isGivenUp, over.cause) = (7, 2, 1, true, "answered 503")
            over.end()
            try await store.record(over, holdingUntil: nil)
            #expect(try await store.claimWebhook(now: .at(500_000), for: Self.lease)?.number == 1)
            let all = try await store.webhooks(of: job.id)
            #expect(all.map(\.number) == [0, 1])
            #expect(all[0].delivered == 7 && all[0].failed == 2 && all[0].dropped == 1)
            #expect(all[0].isGivenUp && all[0].cause == "answered 503")
        }
    }

    @Test(arguments: TestDatabase.here)
    func anotherGatewayGoesOnWhereOneDied(_ database: TestDatabase) async throws {
        try await database.withStore { store in
            let job = Job.sample()
            try await store.create(job, webhooks: [Self.webhook(job)])
            _ = try await store.cancel(job.id, now: .at(1))
            var old = try #require(try await store.claimWebhook(now: .at(0), for: Self.lease))
            old.eventsTold = 1
            try await store.record(old, holdingUntil: .at(20_000))
            #expect(try await store.claimWebhook(now: .at(19_999), for: Self.lease) == nil)
            let new = try #require(try await store.claimWebhook(now: .at(20_000), for: Self.lease))
            #expect(new.eventsTold == 1)
            #expect(try await code { try await store.record(old, holdingUntil: nil) } == .leaseLost)
            try await store.record(new, holdingUntil: nil)
            #expect(try await store.delete(job.id))
            #expect(try await store.claimWebhook(now: .at(90_000), for: Self.lease) == nil)
            #expect(try await store.removePiece(rows: 10) == .gone(job.id))
            #expect(try await code { try await store.record(new, holdingUntil: nil) } == .leaseLost)
        }
    }
}
