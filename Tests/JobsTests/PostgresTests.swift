import Jobs
import NIOCore
import Testing

@Suite(.enabled(if: TestDatabase.here.contains(.postgres), "PostgreSQL is not installed"))
struct PostgresTests {
    @Test func aServerThatEndsItsConnectionsIsAskedAgain() async throws {
        try await TestDatabase.postgres.with { open in
            let (victim, killer) = (try open(), try open())
            let store = try await JobStore(victim)
            let job = Job.sample()
            try await store.create(job)
            let ended = try await killer.read { session in
                var row = try session.run(
                    """
                    SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                    """, [])[0]
                return try row.integer()
            }
            #expect(ended > 0)
            #expect(try await store.job(job.id) == job)
            try await victim.close()
            try await killer.close()
        }
    }

    @Test func aServerThatIsNotThereIsNamedWithoutThePassword() async throws {
        let database = PostgresDatabase(url: "postgres://ada:secret@127.0.0.1:1/jobs")
        do {
            _ = try await JobStore(database)
            Issue.record("there is no server")
        } catch let error as JobError {
            #expect(error.code == .unavailable)
            #expect(error.message.contains("127.0.0.1"))
            #expect(!error.message.contains("secret"))
        }
        try await database.close()
    }

    @Test(arguments: [
        "postgres://ada:s3cr%zzet@127.0.0.1:1/jobs", "postgres://ada:s3cr@et@127.0.0.1:1/jobs",
        "postgres://ada:s3cr/et@127.0.0.1:1/jobs", "postgres://ada@127.0.0.1:1/jobs?password=s3cr%2",
        "postgres://127.0.0.1:1/jobs?pasword=s3cret",
        "postgres://ada:x@127.0.0.1:1/jobs?sslmode=s3cret&password=s3cret",
    ])
    func noErrorNamesAPasswordHoweverItIsWritten(_ url: String) async throws {
        let database = PostgresDatabase(url: url)
        do {
            _ = try await JobStore(database)
            Issue.record("there is no server")
        } catch let error as JobError {
            #expect(!error.message.contains("s3cr"), "\(error.message)")
        }
        try await database.close()
    }

    @Test func thereAreNoMoreConnectionsThanAllowed() async throws {
        try await TestDatabase.postgres.with { open in
            let database = try open()
            let counts = try await withThrowingTaskGroup(of: Int64.self) { tasks in
                for _ in 0..<40 {
                    tasks.addTask {
                        try await database.read { session in
                            var row = try session.run(
                                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()", [])[0]
                            return try row.integer()
                        }
                    }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            #expect(counts.count == 40)
            #expect(counts.max() ?? 0 <= Int64(PostgresDatabase.Configuration().maxConnections))
            try await database.close()
        }
    }

    @Test func valuesOfEveryKindComeBack() async throws {
        try await TestDatabase.postgres.with { open in
            let database = try open()
            let values: [SQLValue] = [
                .integer(.min), .integer(.max), .real(-0.1), .text(""), .text("ü\u{1F6B2}'"), .bytes(.init()),
                .bytes(.init(bytes: [0, 255, 39, 92])),
            ]
            let found = try await database.read { session in
                try session.run(
                    "SELECT $1::bigint, $2::bigint, $3::float8, $4::text, $5::text, $6::bytea, $7::bytea, $8::text",
                    values + [.null])
            }
            #expect(found == [SQLRow(values + [.null])])
            // Text that cannot be kept is refused, not cut.
            #expect(
                try await code {
                    _ = try await database.read { try $0.run("SELECT $1::text", [.text("a\0b")]) }
                } == .failed)
            try await database.close()
        }
    }
}
