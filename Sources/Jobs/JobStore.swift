/// The jobs of one gateway, or of several that share a database.
///
/// Every method is one transaction; what it changes is on disk when it returns. All throw `JobError`.
package struct JobStore: Sendable {
    let database: any SQLDatabase

    /// The largest page of `jobs`, and the most results that `results` gives at once.
    package static let maxPage = 1000

    /// Makes the tables if they are not there, or brings them to this version.
    package init(_ database: any SQLDatabase) async throws {
        self.database = database
        let dialect = database.dialect
        try await database.write { try JobSchema.migrate($0, dialect) }
    }

    package func close() async throws { try await database.close() }

    // ---- what the users do ----

    package func create(_ job: Job) async throws {
        let places = (1...Job.columns.count).map { "$\($0)" }.joined(separator: ", ")
        let columns = Job.columns.joined(separator: ", ")
        try await database.write { session in
            _ = try session.run("INSERT INTO framemesh_job (\(columns)) VALUES (\(places))", job.values)
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
        var conditions: [String] = []
        var values: [SQLValue] = [.integer(Int64(min(limit, Self.maxPage)))]
        if let owner {
            values.append(.text(owner))
            conditions.append("owner = $\(values.count)")
        }
        if let after {
            values.append(.text(after.text))
            conditions.append("id < $\(values.count)")
        }
        let filter = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        return try await select("\(filter) ORDER BY id DESC LIMIT $1", values)
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

    /// With all of its results.
    /// - Returns: whether it was there.
    package func delete(_ id: JobID) async throws -> Bool {
        try await database.write { session in
            try !session.run("DELETE FROM framemesh_job WHERE id = $1 RETURNING id", [.text(id.text)]).isEmpty
        }
    }

    /// How many jobs there are, and the bytes of all files that are kept for them.
    package func usage() async throws -> (jobs: Int64, bytes: Int64) {
        try await database.read { session in
            var row = try session.run(
                "SELECT COUNT(*), CAST(COALESCE(SUM(stored_bytes), 0) AS BIGINT) FROM framemesh_job", [])[0]
            return (try row.integer(), try row.integer())
        }
    }

    /// Removes jobs whose time is over.
    /// - Returns: their ids, at most `maxPage` at once.
    package func removeExpired(now: JobTime) async throws -> [JobID] {
        let dialect = database.dialect
        return try await database.write { session in
            let rows = try session.run(
                """
                SELECT \(Self.columns) FROM framemesh_job WHERE expires_at <= $1
                AND state IN ('done', 'failed', 'cancelled') ORDER BY id LIMIT \(Self.maxPage)
                \(dialect.forUpdateSkipLocked)
                """, [.integer(now.milliseconds)])
            let expired = try rows.map { try Job($0) }.filter { $0.isExpired(now) }.map(\.id)
            for id in expired { _ = try session.run("DELETE FROM framemesh_job WHERE id = $1", [.text(id.text)]) }
            return expired
        }
    }

    // ---- how ----

    static let columns = Job.columns.joined(separator: ", ")

    func select(_ rest: String, _ values: [SQLValue]) async throws -> [Job] {
        try await database.read { session in
            try session.run("SELECT \(Self.columns) FROM framemesh_job\(rest)", values).map { try Job($0) }
        }
    }

    static func find(_ id: JobID, _ session: any SQLSession, _ lock: String) throws -> Job? {
        try session.run("SELECT \(columns) FROM framemesh_job WHERE id = $1 \(lock)", [.text(id.text)]).first.map {
            try Job($0)
        }
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
