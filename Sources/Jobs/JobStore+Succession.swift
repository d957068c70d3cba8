/// What becomes of what gateways had that are dead.
extension JobStore {
    /// What these gateways had is anybody's at once. Leases of webhooks name no gateway: all end, and one whose teller lives
    /// nevertheless is told the same once more.
    func endLeases(of dead: Set<String>, now: JobTime) async throws {
        try await database.write { session in
            let running = try session.run("SELECT \(Self.columns) FROM framemesh_job WHERE state = 'running'", [])
            for row in running {
                var job = try Job(row)
                guard let lease = job.lease, dead.contains(lease.gateway) else { continue }
                job.orphan(now: now)
                try Self.save(job, session)
            }
            _ = try session.run("UPDATE framemesh_webhook SET lease_until = NULL", [])
            for gateway in dead { try Self.releaseStreams(nil, by: gateway, session) }
        }
    }
}
