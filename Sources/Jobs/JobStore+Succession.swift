/// What becomes of what gateways had that are dead.
extension JobStore {
    /// Every lease there is, is a dead gateway's: what they had is anybody's at once.
    func endAllLeases(now: JobTime) async throws {
        try await database.write { session in
            let running = try session.run("SELECT \(Self.columns) FROM framemesh_job WHERE state = 'running'", [])
            for row in running {
                var job = try Job(row)
                job.orphan(now: now)
                try Self.save(job, session)
            }
            _ = try session.run("UPDATE framemesh_webhook SET lease_until = NULL", [])
            _ = try session.run("UPDATE framemesh_stream SET lease_gateway = '', lease_until = 0", [])
        }
    }
}
