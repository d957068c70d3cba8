import Foundation
import GRDB
import Glibc
import NIOCore

/// A database in a file of this machine. Several processes may have it open, not over a network file system.
package final class SQLiteDatabase: SQLDatabase {
    package struct Configuration: Sendable {
        /// How long a write waits for that of another process.
        package var busyTimeout: Duration = .seconds(10)

        package init() {}
    }

    package let dialect = SQLDialect(
        bytes: "BLOB", forUpdate: "", forUpdateSkipLocked: "", beforeSchema: [], lockRoom: "")
    private let pool: DatabasePool
    private let path: String

    /// Opens the file, or makes it.
    /// - Throws: `JobError`.
    package init(path: String, _ configuration: Configuration = .init()) throws {
        var settings = GRDB.Configuration()
        settings.busyMode = .timeout(configuration.busyTimeout / .seconds(1))
        settings.label = "jobs"
        Self.make(path)
        self.path = path
        pool = try Self.explaining {
            let pool = try DatabasePool(path: path, configuration: settings)
            // GRDB leaves the last transactions to luck if the power fails; what was answered with 201 is to stay.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            return pool
        }
    }

    /// For nobody else to read, and SQLite's files beside it take after it: URLs with their passwords are in it. A file that
    /// is there is not touched: closing it would end the locks that this process has on it.
    private static func make(_ path: String) {
        let descriptor = unsafe open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    package func read<Value: Sendable>(
        _ body: @Sendable @escaping (any SQLSession) throws -> Value
    ) async throws -> Value {
        try await Self.explaining { try await pool.read { try body(SQLiteSession(database: $0)) } }
    }

    package func write<Value: Sendable>(
        _ body: @Sendable @escaping (any SQLSession) throws -> Value
    ) async throws -> Value {
        try await Self.explaining { try await pool.write { try body(SQLiteSession(database: $0)) } }
    }

    package func close() async throws {
        try Self.explaining { try pool.close() }
        tidyUp()
    }

    /// The pool closes its readers last, and those leave the log (`-wal`) and its index behind, which the last one who may
    /// write takes away. Where another process has the file open, all stays as it is.
    private func tidyUp() {
        var settings = GRDB.Configuration()
        settings.busyMode = .immediateError
        settings.label = "jobs, at the end"
        guard let last = try? DatabaseQueue(path: path, configuration: settings) else { return }
        _ = try? last.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try? last.close()
    }

    private static func explaining<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as DatabaseError { throw JobError(error) }
    }

    private static func explaining<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as DatabaseError { throw JobError(error) }
    }
}

private struct SQLiteSession: SQLSession {
    let database: Database

    func run(_ sql: String, _ values: [SQLValue]) throws -> [SQLRow] {
        // SQLite counts `$1` by where it stands first, and `?1` by its number.
        let statement = try database.cachedStatement(sql: sql.replacing("$", with: "?"))
        return try Row.fetchAll(statement, arguments: StatementArguments(values.map(\.databaseValue))).map { row in
            SQLRow(row.databaseValues.map(SQLValue.init))
        }
    }
}

extension SQLValue {
    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .real(let value): value.databaseValue
        case .text(let value): value.databaseValue
        case .bytes(let value): Data(value.readableBytesView).databaseValue
        }
    }

    fileprivate init(_ value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let value): self = .integer(value)
        case .double(let value): self = .real(value)
        case .string(let value): self = .text(value)
        case .blob(let value): self = .bytes(ByteBuffer(bytes: value))
        }
    }
}

extension JobError {
    fileprivate init(_ error: DatabaseError) {
        let code: Code =
            switch error.resultCode {
            case .SQLITE_FULL: .full
            case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_IOERR: .unavailable
            default: .failed
            }
        self.init(code, "SQLite: \(error.message ?? error.resultCode.description)")
    }
}
