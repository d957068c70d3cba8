/// Where jobs are kept, as the user says it.
package enum JobDatabase: Sendable, Hashable {
    /// A file in the gateway's data folder.
    case sqlite
    /// A connection string of libpq.
    case postgres(String)

    private static let fileName = "jobs.sqlite"
    private static let presenceName = "jobs.lock"

    /// Its kind, which says nothing of a connection string.
    package var name: String {
        switch self {
        case .sqlite: "sqlite"
        case .postgres: "postgresql"
        }
    }

    /// - Parameter text: `sqlite`, `postgres://…` or `postgresql://…`.
    package init?(_ text: String) {
        if text == "sqlite" {
            self = .sqlite
        } else if text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") {
            self = .postgres(text)
        } else {
            return nil
        }
    }

    /// A file is of this machine: where nobody else has it, gateways that said they had it are dead, and what they had is
    /// free at once. Of a server's clients nobody knows that; there leases run out.
    /// - Parameter folder: for `sqlite`; it must be there.
    /// - Throws: `JobError`.
    package func open(in folder: String, now: JobTime) async throws -> JobStore {
        switch self {
        case .sqlite:
            let database = try SQLiteDatabase(path: "\(folder)/\(Self.fileName)")
            let presence = Presence(path: "\(folder)/\(Self.presenceName)")
            var store = try await JobStore(database, presence)
            if !presence.dead.isEmpty { try await store.endLeases(of: presence.dead, now: now) }
            store.unseen = await presence.share(as: store.gateway)
            return store
        case .postgres(let url): return try await JobStore(PostgresDatabase(url: url))
        }
    }
}
