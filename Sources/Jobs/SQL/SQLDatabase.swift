package import NIOCore

/// A database as `JobStore` needs it. `SQLiteDatabase` and `PostgresDatabase` are the two; statements are the same for both,
/// with parameters `$1`, `$2`, … that may stand in any order.
package protocol SQLDatabase: Sendable {
    var dialect: SQLDialect { get }

    /// Runs `body`, which reads one consistent state.
    /// - Throws: `JobError`, or what `body` throws.
    func read<Value: Sendable>(_ body: @Sendable @escaping (any SQLSession) throws -> Value) async throws -> Value

    /// Runs `body` in a transaction, which is undone if it throws.
    /// - Throws: `JobError`, or what `body` throws. After `unavailable` nobody knows whether it was done.
    func write<Value: Sendable>(_ body: @Sendable @escaping (any SQLSession) throws -> Value) async throws -> Value

    /// Ends all connections.
    func close() async throws
}

/// Where the two databases do not speak alike.
package struct SQLDialect: Sendable {
    /// The type of a column of bytes.
    package var bytes: String
    /// Behind a SELECT: the rows are ours until the end of the transaction.
    package var forUpdate: String
    /// The same, without those that are another one's.
    package var forUpdateSkipLocked: String
    /// Before the schema is looked at: nobody else changes it meanwhile, and that may take its time.
    package var beforeSchema: [String]
    /// Before sums of jobs are looked at: nobody else takes the room that is found, until the end of the transaction.
    /// Empty: there is but one writer at a time.
    package var lockRoom: String
}

/// One transaction.
package protocol SQLSession {
    /// - Returns: the rows; none for a statement that has none.
    /// - Throws: `JobError`.
    func run(_ sql: String, _ values: [SQLValue]) throws -> [SQLRow]
}

package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes(ByteBuffer)

    package init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }
}
