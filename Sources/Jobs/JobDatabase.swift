/// Where jobs are kept, as the user says it.
package enum JobDatabase: Sendable, Hashable {
    /// A file in the gateway's data folder.
    case sqlite
    /// A connection string of libpq.
    case postgres(String)

    private static let fileName = "jobs.sqlite"

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

    /// - Parameter folder: for `sqlite`; it must be there.
    /// - Throws: `JobError`.
    package func open(in folder: String) async throws -> JobStore {
        switch self {
        case .sqlite: try await JobStore(SQLiteDatabase(path: "\(folder)/\(Self.fileName)"))
        case .postgres(let url): try await JobStore(PostgresDatabase(url: url))
        }
    }
}
