/// What is still to be told of jobs.
extension JobStore {
    /// The webhook that is due for the longest time, of a job with news for it: frames that were not told, or its end.
    ///
    /// Gateways that ask at one time get different ones.
    package func claimWebhook(now: JobTime, for duration: Duration) async throws -> JobWebhook? {
        let dialect = database.dialect
        return try await database.write { session in
            let rows = try session.run(
                """
                SELECT \(Self.webhookColumns) FROM framemesh_webhook
                WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) AND EXISTS (
                    SELECT 1 FROM framemesh_job WHERE framemesh_job.id = framemesh_webhook.job
                    AND framemesh_job.state IN \(JobState.seen)
                    AND (framemesh_job.state IN ('done', 'failed', 'cancelled') OR framemesh_webhook.is_for_end = 0
                        AND framemesh_job.frames_done > framemesh_webhook.frames_told))
                ORDER BY due_at, job, number LIMIT 1 \(dialect.forUpdateSkipLocked)
                """, [.integer(now.milliseconds)])
            guard var webhook = try rows.first.map({ try JobWebhook($0) }) else { return nil }
            webhook.claim(until: now + duration)
            _ = try Self.save(webhook, under: webhook.leaseNumber - 1, session)
            return webhook
        }
    }

    /// Records what was told.
    /// - Parameter until: how long nobody else tells; nil: anybody may go on when it is due.
    /// - Throws: `leaseLost` if somebody else tells by now, or the job was removed.
    package func record(_ webhook: JobWebhook, holdingUntil until: JobTime?) async throws {
        var webhook = webhook
        webhook.hold(until: until)
        try await database.write { [webhook] session in
            guard try Self.save(webhook, under: webhook.leaseNumber, session) else { throw Self.lost(webhook) }
        }
    }

    /// Of one job, in the order in which its maker named them.
    package func webhooks(of id: JobID) async throws -> [JobWebhook] {
        try await database.read { session in
            try session.run(
                "SELECT \(Self.webhookColumns) FROM framemesh_webhook WHERE job = $1 ORDER BY number", [.text(id.text)]
            ).map { try JobWebhook($0) }
        }
    }

    static func insert(_ webhook: JobWebhook, _ session: any SQLSession) throws {
        let places = (1...JobWebhook.columns.count).map { "$\($0)" }.joined(separator: ", ")
        _ = try session.run("INSERT INTO framemesh_webhook (\(webhookColumns)) VALUES (\(places))", webhook.values)
    }

    private static let webhookColumns = JobWebhook.columns.joined(separator: ", ")

    /// - Returns: whether `number` was the lease in force.
    private static func save(_ webhook: JobWebhook, under number: Int64, _ session: any SQLSession) throws -> Bool {
        let assignments = JobWebhook.columns.enumerated().dropFirst(2).map { "\($1) = $\($0 + 1)" }
        let place = JobWebhook.columns.count + 1
        return try !session.run(
            """
            UPDATE framemesh_webhook SET \(assignments.joined(separator: ", "))
            WHERE job = $1 AND number = $2 AND lease_number = $\(place) RETURNING number
            """, webhook.values + [.integer(number)]
        ).isEmpty
    }

    private static func lost(_ webhook: JobWebhook) -> JobError {
        JobError(.leaseLost, "webhook \(webhook.number) of job \(webhook.job) is told by another one, or gone")
    }
}
