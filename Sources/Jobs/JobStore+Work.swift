/// What the gateway does that works on a job. All throw `leaseLost` if it is another's by now.
extension JobStore {
    /// A job that waits and whose pause is over, or whose gateway let its lease run out; nil: there is none.
    ///
    /// Owners take turns: first one of whose jobs the fewest are worked on, of these the one whose job was claimed the
    /// longest ago, of its jobs the oldest. Gateways that ask at one time get different jobs.
    /// - Parameter givingUp: is told of jobs that failed instead, since they were begun too often.
    package func claim(
        by gateway: String, now: JobTime, for duration: Duration,
        givingUp: @Sendable @escaping (Job) -> Void = { _ in }
    ) async throws -> (job: Job, lease: Lease)? {
        let dialect = database.dialect
        return try await database.write { session in
            while true {
                let rows = try session.run(
                    """
                    SELECT \(Self.columns) FROM framemesh_job
                    WHERE (state = 'queued' AND not_before <= $1)
                        OR (state = 'running' AND (lease_until IS NULL OR lease_until <= $1))
                    ORDER BY
                        (SELECT COUNT(*) FROM framemesh_job AS busy WHERE busy.state = 'running'
                            AND busy.owner = framemesh_job.owner AND busy.lease_until > $1),
                        (SELECT COALESCE(MAX(claimed_at), 0) FROM framemesh_turn
                            WHERE framemesh_turn.owner = framemesh_job.owner),
                        id
                    LIMIT 1 \(dialect.forUpdateSkipLocked)
                    """, [.integer(now.milliseconds)])
                guard var job = try rows.first.map({ try Job($0) }) else { return nil }
                let claim = job.claim(by: gateway, now: now, for: duration)
                try Self.save(job, session)
                switch claim {
                case .granted(let lease):
                    _ = try session.run(
                        """
                        INSERT INTO framemesh_turn (owner, claimed_at) VALUES ($1, $2)
                        ON CONFLICT (owner) DO UPDATE SET claimed_at = excluded.claimed_at
                        """, [.text(job.owner), .integer(now.milliseconds)])
                    return (job, lease)
                case .gaveUp: givingUp(job)
                // The condition above is the value's own.
                case .refused: return nil
                }
            }
        }
    }

    /// - Parameter waitingFor: what no frame comes without; empty: frames come.
    /// - Returns: the lease as it is now.
    package func renew(
        _ lease: Lease, waitingFor: String = "", now: JobTime, for duration: Duration
    ) async throws -> Lease {
        try await own(lease) { job in try job.renew(lease, waitingFor: waitingFor, now: now, for: duration) }
    }

    /// Gives the job back; another gateway may claim it, after the pause that `reason` asks for.
    package func release(
        _ lease: Lease, _ reason: JobRelease, now: JobTime, _ pauses: JobPauses
    ) async throws {
        try await own(lease) { job in try job.release(lease, reason, now: now, pauses) }
    }

    /// Records results and progress, both or neither.
    ///
    /// They must be the next ones; a batch that is recorded already is taken again without effect, so a call that ended in
    /// `unavailable` can be repeated.
    /// - Parameter room: for these results and all that jobs take. Gateways that append at one time may go beyond what is
    ///   there for all by a batch each.
    /// - Throws: `outOfOrder`, `leaseLost`; `noRoom`, `tooManyResults`: nothing of the batch is recorded.
    package func append(_ batch: FrameBatch, _ lease: Lease, within room: JobRoom = .unlimited) async throws {
        let lock = database.dialect.forUpdate
        try await database.write { session in
            guard var job = try Self.find(lease.job, session, lock) else { throw Self.removed(lease) }
            guard try job.append(batch, lease, most: room.results) else { return }
            if room != .unlimited {
                var usage = try Self.usage(of: job.owner, session)
                usage.add(JobUsage.Taken(bytes: batch.storedBytes))
                // How many there are is no matter of those that are there.
                if let excess = usage.excess(within: room.ofBytes) { throw Self.noRoom(excess) }
            }
            try Self.save(job, session)
            try Self.insert(batch.results, of: job.id, session)
        }
    }

    /// How many packets of the file were left out, or decoded with errors.
    package func count(damagedPackets: Int64, _ lease: Lease) async throws {
        try await own(lease) { job in try job.count(damagedPackets: damagedPackets, lease) }
    }

    /// Room for files that are about to be written. Gateways that ask at one time never get the same.
    /// - Parameters:
    ///   - bytes: that may become as many.
    ///   - kept: of the job's files that are there.
    /// - Returns: the bytes that may be written, at most `bytes`. They count as taken for as long as the lease is in force.
    package func reserve(_ bytes: Int64, beside kept: Int64, within room: JobRoom, _ lease: Lease) async throws
        -> Int64
    {
        let dialect = database.dialect
        return try await database.write { session in
            if !dialect.lockRoom.isEmpty { _ = try session.run(dialect.lockRoom, []) }
            guard var job = try Self.find(lease.job, session, dialect.forUpdate) else { throw Self.removed(lease) }
            var others = try Self.usage(of: job.owner, session)
            others.add(JobUsage.Taken(bytes: -job.storedBytes - job.reservedBytes))
            let granted = try job.reserve(bytes, beside: kept, within: room.bytes(beside: others), lease)
            try Self.save(job, session)
            return granted
        }
    }

    package func finish(
        _ lease: Lease, as state: JobState, error: String = "", storedBytes: Int64, lastTime: Int64? = nil,
        now: JobTime, keep: Duration
    ) async throws {
        try await own(lease) { job in
            try job.finish(
                lease, as: state, error: error, storedBytes: storedBytes, lastTime: lastTime, now: now, keep: keep)
        }
    }

    /// Recorded results, in order.
    /// - Parameters:
    ///   - from: the first sequence.
    ///   - limit: at most `maxPage`.
    ///   - bytes: of their bodies; the result that exceeds them is the last.
    package func results(
        of id: JobID, from: Int64, limit: Int, bytes: Int = .max
    ) async throws -> [FrameResult] {
        try await database.read { session in
            try session.run(
                Self.page,
                [
                    .text(id.text), .integer(from), .integer(Int64(min(limit, Self.maxPage))),
                    .integer(Int64(bytes)),
                ]
            ).map { row in
                var row = row
                return FrameResult(sequence: try row.integer(), body: try row.bytes())
            }
        }
    }

    /// The sizes are summed up without the bodies being read.
    private static let page = """
        SELECT sequence, body FROM framemesh_frame WHERE job = $1 AND sequence >= $2 AND sequence <= (
            SELECT MAX(sequence) FROM (
                SELECT sequence, size, SUM(size) OVER (ORDER BY sequence) AS total FROM (
                    SELECT sequence, LENGTH(body) AS size FROM framemesh_frame
                    WHERE job = $1 AND sequence >= $2 ORDER BY sequence LIMIT $3
                ) AS page
            ) AS summed WHERE total - size < $4
        ) ORDER BY sequence
        """

    /// Rows of one INSERT; a statement has at most 32,766 parameters in SQLite.
    private static let rowsPerInsert = 64

    private static func insert(_ results: [FrameResult], of id: JobID, _ session: any SQLSession) throws {
        var rest = results[...]
        while !rest.isEmpty {
            let part = rest.prefix(rowsPerInsert)
            rest = rest.dropFirst(rowsPerInsert)
            let rows = part.indices.map { index in
                let number = 2 * (index - part.startIndex) + 2
                return "($1, $\(number), $\(number + 1))"
            }
            _ = try session.run(
                "INSERT INTO framemesh_frame (job, sequence, body) VALUES \(rows.joined(separator: ", "))",
                [.text(id.text)] + part.flatMap { [.integer($0.sequence), .bytes($0.body)] })
        }
    }

    /// To its owner, a job that was removed is a lease that was lost.
    private func own<Value: Sendable>(
        _ lease: Lease, _ body: @Sendable @escaping (inout Job) throws -> Value
    ) async throws -> Value {
        do {
            return try await change(lease.job, body)
        } catch let error as JobError where error.code == .notFound {
            throw Self.removed(lease)
        }
    }

    private static func removed(_ lease: Lease) -> JobError { JobError(.leaseLost, "job \(lease.job) was removed") }
}
