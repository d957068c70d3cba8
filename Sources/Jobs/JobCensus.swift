/// How many jobs a store has, and what is kept for them.
package struct JobCensus: Sendable, Hashable {
    /// By state; what is not there is 0.
    package var jobs: [JobState: Int64] = [:]
    /// What all jobs take, as `JobUsage` counts it.
    package var storedBytes: Int64 = 0
    /// When the job came that waits the longest for a gateway; nil: none waits.
    package var oldestQueued: JobTime?

    package init() {}
}

extension JobStore {
    /// Counts all jobs, those that are on their way out too.
    package func census() async throws -> JobCensus {
        try await database.read { session in
            var census = JobCensus()
            let rows = try session.run(
                """
                SELECT state, COUNT(*), CAST(COALESCE(SUM(\(Self.takenBytes)), 0) AS BIGINT),
                    MIN(created_at)
                FROM framemesh_job GROUP BY state
                """, [])
            for var row in rows {
                let name = try row.text()
                let count = try row.integer()
                census.storedBytes += try row.integer()
                // A state of a newer version is none of ours to tell of.
                guard let state = JobState(rawValue: name) else { continue }
                census.jobs[state] = count
                let oldest = try row.integer()
                if state == .queued { census.oldestQueued = JobTime(milliseconds: oldest) }
            }
            return census
        }
    }
}
