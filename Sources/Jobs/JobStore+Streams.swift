/// Live streams, each of which one gateway has for as long as it says so again and again. What a gateway says of one that
/// is another's by now has no effect.
extension JobStore {
    /// - Parameter until: nobody else may have it before.
    package func create(_ stream: StoredStream, by gateway: String, until: JobTime) async throws {
        try await database.write { session in
            _ = try session.run(
                """
                INSERT INTO framemesh_stream (\(StoredStream.columns), lease_gateway, lease_until)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """, stream.values + [.text(gateway), .integer(until.milliseconds)])
        }
    }

    /// - Returns: the streams that this gateway has.
    package func renewStreams(by gateway: String, until: JobTime) async throws -> Set<String> {
        try await database.write { session in
            let rows = try session.run(
                "UPDATE framemesh_stream SET lease_until = $1 WHERE lease_gateway = $2 RETURNING id",
                [.integer(until.milliseconds), .text(gateway)])
            return Set(
                try rows.map { row in
                    var row = row
                    return try row.text()
                })
        }
    }

    package func hasWaitingStream(now: JobTime) async throws -> Bool {
        try await database.read { session in
            try !session.run(
                "SELECT 1 FROM framemesh_stream WHERE lease_until <= $1 LIMIT 1", [.integer(now.milliseconds)]
            ).isEmpty
        }
    }

    /// The oldest stream that no gateway has; nil: there is none. Gateways that ask at one time get different ones.
    package func claimStream(by gateway: String, now: JobTime, until: JobTime) async throws -> StoredStream? {
        let dialect = database.dialect
        return try await database.write { session in
            let rows = try session.run(
                """
                SELECT \(StoredStream.columns) FROM framemesh_stream WHERE lease_until <= $1
                ORDER BY created_at, id LIMIT 1 \(dialect.forUpdateSkipLocked)
                """, [.integer(now.milliseconds)])
            guard let stream = try rows.first.map({ try StoredStream($0) }) else { return nil }
            _ = try session.run(
                "UPDATE framemesh_stream SET lease_gateway = $1, lease_until = $2 WHERE id = $3",
                [.text(gateway), .integer(until.milliseconds), .text(stream.id)])
            return stream
        }
    }

    /// Any gateway may have them at once.
    /// - Parameter id: of the one; nil: all.
    package func releaseStreams(_ id: String? = nil, by gateway: String) async throws {
        try await database.write { try Self.releaseStreams(id, by: gateway, $0) }
    }

    static func releaseStreams(_ id: String?, by gateway: String, _ session: any SQLSession) throws {
        _ = try session.run(
            """
            UPDATE framemesh_stream SET lease_gateway = '', lease_until = 0
            WHERE lease_gateway = $1 AND ($2 = '' OR id = $2)
            """,
            [.text(gateway), .text(id ?? "")])
    }

    package func setAreas(_ areas: String, ofStream id: String, by gateway: String) async throws {
        try await database.write { session in
            _ = try session.run(
                "UPDATE framemesh_stream SET areas = $1 WHERE id = $2 AND lease_gateway = $3",
                [.text(areas), .text(id), .text(gateway)])
        }
    }

    /// One that no gateway has is not wanted any more.
    /// - Parameter owner: whose it must be; nil: anybody's.
    /// - Returns: whether there was one.
    package func removeWaitingStream(_ id: String, of owner: String?, now: JobTime) async throws -> Bool {
        try await database.write { session in
            let rows = try session.run(
                """
                DELETE FROM framemesh_stream WHERE id = $1 AND lease_until <= $2
                \(owner == nil ? "" : "AND owner = $3") RETURNING id
                """, [.text(id), .integer(now.milliseconds)] + (owner.map { [.text($0)] } ?? []))
            return !rows.isEmpty
        }
    }

    /// It has ended, or is not wanted any more.
    package func removeStream(_ id: String, by gateway: String) async throws {
        try await database.write { session in
            _ = try session.run(
                "DELETE FROM framemesh_stream WHERE id = $1 AND lease_gateway = $2", [.text(id), .text(gateway)])
        }
    }
}
