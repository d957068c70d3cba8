/// How jobs go: hidden at once, then piece by piece, so that one with millions of results holds nobody up. What is begun is
/// gone on with by whichever gateway comes next.
extension JobStore {
    package enum RemovalStep: Sendable, Equatable {
        /// Some of its results are gone.
        case smaller(JobID)
        /// The job and all of its results.
        case gone(JobID)
    }

    /// From now on it is there for nobody. Its results go by `removePiece`.
    /// - Returns: whether it was there.
    package func delete(_ id: JobID) async throws -> Bool {
        do {
            try await change(id) { $0.delete() }
            return true
        } catch let error as JobError where error.code == .notFound {
            return false
        }
    }

    /// Deletes jobs whose time is over.
    /// - Returns: their ids, at most `maxPage` at once.
    package func deleteExpired(now: JobTime) async throws -> [JobID] {
        let dialect = database.dialect
        return try await database.write { session in
            let rows = try session.run(
                """
                SELECT \(Self.columns) FROM framemesh_job WHERE expires_at <= $1
                AND state IN ('done', 'failed', 'cancelled') ORDER BY id LIMIT \(Self.maxPage)
                \(dialect.forUpdateSkipLocked)
                """, [.integer(now.milliseconds)])
            let expired = try rows.map { try Job($0) }.filter { $0.isExpired(now) }
            for var job in expired {
                job.delete()
                try Self.save(job, session)
            }
            // An owner who has no jobs for so long has no turn to wait for.
            _ = try session.run(
                "DELETE FROM framemesh_turn WHERE claimed_at < $1",
                [.integer(now.milliseconds - Self.turnMemory.wholeMilliseconds)])
            return expired.map(\.id)
        }
    }

    private static let turnMemory: Duration = .seconds(86_400)

    /// Removes up to `rows` results of a deleted job, and the job with its last ones. One transaction.
    /// - Parameter id: of which; nil: of the oldest that nobody else is at.
    /// - Returns: nil: nothing is left to remove.
    package func removePiece(of id: JobID? = nil, rows: Int) async throws -> RemovalStep? {
        let dialect = database.dialect
        return try await database.write { session in
            let found = try session.run(
                """
                SELECT \(Self.columns) FROM framemesh_job WHERE state = 'deleting'
                \(id == nil ? "" : "AND id = $1") ORDER BY id LIMIT 1 \(dialect.forUpdateSkipLocked)
                """, id.map { [.text($0.text)] } ?? [])
            guard var job = try found.first.map({ try Job($0) }) else { return nil }
            if let first = job.removePiece(rows: Int64(rows)) {
                let piece = "FROM framemesh_frame WHERE job = $1 AND sequence >= $2"
                let values: [SQLValue] = [.text(job.id.text), .integer(first)]
                var row = try session.run(
                    """
                    SELECT CAST(COALESCE(SUM(LENGTH(body) + \(FrameResult.overhead)), 0) AS BIGINT) \(piece)
                    """, values)[0]
                job.removed(bytes: try row.integer())
                _ = try session.run("DELETE \(piece)", values)
            }
            guard job.progress.framesDone == 0 else {
                try Self.save(job, session)
                return .smaller(job.id)
            }
            _ = try session.run("DELETE FROM framemesh_job WHERE id = $1", [.text(job.id.text)])
            return .gone(job.id)
        }
    }
}
