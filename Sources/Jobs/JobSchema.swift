/// The tables, and how older ones become these.
enum JobSchema {
    /// Statements of each version; a database has had those of its version and of all before. Never change one that was
    /// released: append. A gateway of the version before may still be at work: what is new has a default.
    static func versions(_ dialect: SQLDialect) -> [[String]] {
        [
            [
                """
                CREATE TABLE framemesh_job (
                    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL,
                    pipeline TEXT NOT NULL, min_confidence DOUBLE PRECISION NOT NULL, annotate BIGINT NOT NULL,
                    areas TEXT NOT NULL,
                    created_at BIGINT NOT NULL, started_at BIGINT, finished_at BIGINT, expires_at BIGINT NOT NULL,
                    stored_bytes BIGINT NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL,
                    width BIGINT NOT NULL, height BIGINT NOT NULL, frame_rate DOUBLE PRECISION NOT NULL,
                    frames_done BIGINT NOT NULL, frames_total BIGINT, dropped BIGINT NOT NULL, failed BIGINT NOT NULL,
                    rate DOUBLE PRECISION NOT NULL,
                    lease_gateway TEXT NOT NULL, lease_number BIGINT NOT NULL, lease_until BIGINT,
                    fruitless_claims BIGINT NOT NULL)
                """,
                "CREATE INDEX framemesh_job_owner ON framemesh_job (owner, id)",
                "CREATE INDEX framemesh_job_open ON framemesh_job (state, id)",
                "CREATE INDEX framemesh_job_expiry ON framemesh_job (expires_at)",
                """
                CREATE TABLE framemesh_frame (
                    job TEXT NOT NULL REFERENCES framemesh_job (id) ON DELETE CASCADE, sequence BIGINT NOT NULL,
                    body \(dialect.bytes) NOT NULL,
                    PRIMARY KEY (job, sequence))
                """,
            ],
            [
                "ALTER TABLE framemesh_job ADD COLUMN worked_ms BIGINT NOT NULL DEFAULT 0",
                "CREATE INDEX framemesh_job_busy ON framemesh_job (state, owner)",
                // When an owner's job was claimed last.
                "CREATE TABLE framemesh_turn (owner TEXT PRIMARY KEY, claimed_at BIGINT NOT NULL)",
            ],
            [
                """
                CREATE TABLE framemesh_webhook (
                    job TEXT NOT NULL REFERENCES framemesh_job (id) ON DELETE CASCADE, number BIGINT NOT NULL,
                    url TEXT NOT NULL, topics TEXT NOT NULL, frames_told BIGINT NOT NULL, events_told BIGINT NOT NULL,
                    failures BIGINT NOT NULL, is_for_end BIGINT NOT NULL, due_at BIGINT NOT NULL,
                    lease_number BIGINT NOT NULL, lease_until BIGINT,
                    PRIMARY KEY (job, number))
                """,
                "CREATE INDEX framemesh_webhook_due ON framemesh_webhook (due_at)",
            ],
            [
                "ALTER TABLE framemesh_job ADD COLUMN reserved_bytes BIGINT NOT NULL DEFAULT 0",
                "ALTER TABLE framemesh_job ADD COLUMN result_bytes BIGINT NOT NULL DEFAULT 0",
                "ALTER TABLE framemesh_job ADD COLUMN waiting_for TEXT NOT NULL DEFAULT ''",
                "ALTER TABLE framemesh_job ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0",
                "ALTER TABLE framemesh_job ADD COLUMN leased_at BIGINT",
                "ALTER TABLE framemesh_job ADD COLUMN causes TEXT NOT NULL DEFAULT ''",
                // All that sums ask for.
                """
                CREATE INDEX framemesh_job_room
                ON framemesh_job (owner, state, stored_bytes, reserved_bytes, result_bytes)
                """,
                "ALTER TABLE framemesh_webhook ADD COLUMN delivered BIGINT NOT NULL DEFAULT 0",
                "ALTER TABLE framemesh_webhook ADD COLUMN failed BIGINT NOT NULL DEFAULT 0",
                "ALTER TABLE framemesh_webhook ADD COLUMN dropped BIGINT NOT NULL DEFAULT 0",
                "ALTER TABLE framemesh_webhook ADD COLUMN is_given_up BIGINT NOT NULL DEFAULT 0",
                "ALTER TABLE framemesh_webhook ADD COLUMN cause TEXT NOT NULL DEFAULT ''",
            ],
            [
                """
                CREATE TABLE framemesh_stream (
                    id TEXT PRIMARY KEY, owner TEXT NOT NULL, request TEXT NOT NULL, areas TEXT NOT NULL,
                    created_at BIGINT NOT NULL, lease_gateway TEXT NOT NULL, lease_until BIGINT NOT NULL)
                """
            ],
            ["ALTER TABLE framemesh_job ADD COLUMN partial_frames BIGINT NOT NULL DEFAULT 0"],
            ["ALTER TABLE framemesh_job ADD COLUMN damaged_packets BIGINT NOT NULL DEFAULT 0"],
            ["ALTER TABLE framemesh_job ADD COLUMN duration_ms BIGINT"],
        ]
    }

    /// Brings a database to the last version. Several processes may do so at one time.
    /// - Throws: `JobError`: `tooNew` if it is beyond that.
    static func migrate(_ session: any SQLSession, _ dialect: SQLDialect) throws {
        for statement in dialect.beforeSchema { _ = try session.run(statement, []) }
        _ = try session.run("CREATE TABLE IF NOT EXISTS framemesh_schema (version BIGINT NOT NULL)", [])
        let versions = versions(dialect)
        var row = try session.run("SELECT MAX(version) FROM framemesh_schema", [])[0]
        let found = Int(try row.optionalInteger() ?? 0)
        guard found <= versions.count else {
            throw JobError(
                .tooNew, "the database has schema version \(found), and this program knows up to \(versions.count)")
        }
        for (number, statements) in versions.enumerated().dropFirst(found) {
            for statement in statements { _ = try session.run(statement, []) }
            _ = try session.run("INSERT INTO framemesh_schema (version) VALUES ($1)", [.integer(Int64(number + 1))])
        }
    }
}
