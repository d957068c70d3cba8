/// The jobs of one gateway, or of several that share a database.
///
/// Every method is one transaction; what it changes is on disk when it returns. All throw `JobError`.
package struct JobStore: Sendable {
    /// Names this life of the gateway in leases.
    package let gateway = "gateway-\(String(UInt64.random(in: .min ... .max), radix: 16))"
    let database: any SQLDatabase
    /// For as long as the store is open.
    private let presence: Presence?
    /// Why the next gateway with this folder will not see that this one is gone, and waits for its leases; nil: it will.
    package internal(set) var unseen: String?

    /// The largest page of `jobs`, and the most results that `results` gives at once.
    package static let maxPage = 1000

    /// Makes the tables if they are not there, or brings them to this version.
    package init(_ database: any SQLDatabase) async throws { try await self.init(database, nil) }

    init(_ database: any SQLDatabase, _ presence: Presence?) async throws {
        self.database = database
        self.presence = presence
        let dialect = database.dialect
        try await database.write { try JobSchema.migrate($0, dialect) }
    }

    /// Results that a gateway of an older version recorded count nothing yet; nobody is to add to them before this. A job at
    /// a time: others work meanwhile, and a gateway that is ended in between has less to do when it starts again.
    package func countOldResults() async throws {
        let dialect = database.dialect
        var last: String? = ""
        while let behind = last {
            last = try await database.write { session -> String? in
                let found = try session.run(
                    """
                    SELECT id FROM framemesh_job WHERE id > $1 AND result_bytes = 0 AND frames_done > 0
                    ORDER BY id LIMIT 1 \(dialect.forUpdateSkipLocked)
                    """, [.text(behind)])
                guard var row = found.first else { return nil }
                let id = try row.text()
                _ = try session.run(
                    """
                    UPDATE framemesh_job SET result_bytes = (
                        SELECT CAST(COALESCE(SUM(LENGTH(body) + \(FrameResult.overhead)), 0) AS BIGINT)
                        FROM framemesh_frame WHERE framemesh_frame.job = $1) WHERE id = $1
                    """, [.text(id)])
                return id
            }
        }
    }

    /// It takes room on the disk of the gateway's data folder.
    package var isInDataFolder: Bool { database is SQLiteDatabase }

    package func close() async throws {
        defer { presence?.end() }
        try await database.close()
    }

    // ---- what the users do ----

    /// - Parameters:
    ///   - webhooks: who are told of it.
    ///   - room: for it and all others. Gateways that ask at one time never take more together.
    /// - Throws: `noRoom`.
    package func create(
        _ job: Job, webhooks: [JobWebhook] = [], within room: JobRoom = .unlimited
    ) async throws {
        let lock = database.dialect.lockRoom
        let places = (1...Job.columns.count).map { "$\($0)" }.joined(separator: ", ")
        let columns = Job.columns.joined(separator: ", ")
        try await database.write { session in
            if !lock.isEmpty { _ = try session.run(lock, []) }
            var usage = try Self.usage(of: job.owner, session)
            usage.add(JobUsage.Taken(jobs: 1, bytes: job.storedBytes))
            if let excess = usage.excess(within: room) { throw Self.noRoom(excess) }
            _ = try session.run("INSERT INTO framemesh_job (\(columns)) VALUES (\(places))", job.values)
            for webhook in webhooks { try Self.insert(webhook, session) }
        }
    }

    package func job(_ id: JobID) async throws -> Job? {
        try await database.read { try Self.find(id, $0, "") }
    }

    /// The newest first.
    /// - Parameters:
    ///   - owner: whose; nil: everybody's.
    ///   - after: the last one of the page before; it need not be there any more.
    package func jobs(of owner: String?, limit: Int, after: JobID? = nil) async throws -> [Job] {
        var conditions = ["state IN \(JobState.seen)"]
        var values: [SQLValue] = [.integer(Int64(min(limit, Self.maxPage)))]
        if let owner {
            values.append(.text(owner))
            conditions.append("owner = $\(values.count)")
        }
        if let after {
            values.append(.text(after.text))
            conditions.append("id < $\(values.count)")
        }
        let filter = conditions.joined(separator: " AND ")
        return try await database.read { [values] session in
            try session.run(
                "SELECT \(Self.columns) FROM framemesh_job WHERE \(filter) ORDER BY id DESC LIMIT $1", values
            ).map { try Job($0) }
        }
    }

    /// - Throws: `notFound`.
    package func setAreas(_ areas: String, of id: JobID) async throws -> Job {
        try await change(id) { job in
            job.request.areas = areas
            return job
        }
    }

    /// Whoever works on it finds out with the next result.
    /// - Returns: the job as it is now.
    /// - Throws: `notFound`.
    package func cancel(_ id: JobID, now: JobTime) async throws -> Job {
        try await change(id) { job in
            _ = job.cancel(now: now)
            return job
        }
    }

    /// Says what the files of a job take that nobody works on any more. One that is not there, or is worked on, stays as
    /// it is.
    package func settle(_ id: JobID, storedBytes: Int64) async throws {
        do {
            try await change(id) { job in if job.state.isFinal { job.storedBytes = storedBytes } }
        } catch let error as JobError where error.code == .notFound {}
    }

    /// What all jobs take, and those of one owner.
    package func usage(of owner: String = "") async throws -> JobUsage {
        try await database.read { try Self.usage(of: owner, $0) }
    }

    /// What keeps a job of this owner from recording one more result; nil: nothing does.
    package func excess(of owner: String, within room: JobRoom) async throws -> JobRoom.Excess? {
        var usage = try await usage(of: owner)
        usage.add(JobUsage.Taken(bytes: 1))
        return usage.excess(within: room.ofBytes)
    }

    // ---- how ----

    static let columns = Job.columns.joined(separator: ", ")

    /// - Returns: nil also for one that is deleted, or in a state that only a newer version knows.
    static func find(_ id: JobID, _ session: any SQLSession, _ lock: String) throws -> Job? {
        try session.run(
            "SELECT \(columns) FROM framemesh_job WHERE id = $1 AND state IN \(JobState.seen) \(lock)", [.text(id.text)]
        ).first.map { try Job($0) }
    }

    /// What a job takes, in SQL. Room is reserved by those who work: a gateway of an older version does not give it back.
    static let takenBytes =
        "stored_bytes + CASE WHEN state = 'running' THEN reserved_bytes ELSE 0 END + result_bytes"

    static func usage(of owner: String, _ session: any SQLSession) throws -> JobUsage {
        var row = try session.run(
            """
            SELECT COUNT(CASE WHEN state <> 'deleting' THEN 1 END), CAST(COALESCE(SUM(\(takenBytes)), 0) AS BIGINT),
                COUNT(CASE WHEN owner = $1 AND state <> 'deleting' THEN 1 END),
                CAST(COALESCE(SUM(CASE WHEN owner = $1 THEN \(takenBytes) END), 0) AS BIGINT)
            FROM framemesh_job
            """, [.text(owner)])[0]
        return JobUsage(
            all: JobUsage.Taken(jobs: try row.integer(), bytes: try row.integer()),
            own: JobUsage.Taken(jobs: try row.integer(), bytes: try row.integer()))
    }

    static func noRoom(_ excess: JobRoom.Excess) -> JobError {
        JobError(.noRoom(excess), "there is no room for more: \(excess)")
    }

    static func save(_ job: Job, _ session: any SQLSession) throws {
        let assignments = Job.columns.enumerated().dropFirst().map { "\($1) = $\($0 + 1)" }.joined(separator: ", ")
        _ = try session.run("UPDATE framemesh_job SET \(assignments) WHERE id = $1", job.values)
    }

    /// Changes a job that nobody else changes meanwhile.
    /// - Throws: `notFound`, and what `body` throws; nothing is changed then.
    func change<Value: Sendable>(
        _ id: JobID, _ body: @Sendable @escaping (inout Job) throws -> Value
    ) async throws -> Value {
        let lock = database.dialect.forUpdate
        return try await database.write { session in
            guard var job = try Self.find(id, session, lock) else { throw JobError(.notFound, "there is no job \(id)") }
            let value = try body(&job)
            try Self.save(job, session)
            return value
        }
    }
}
