import NIOPosix
import Synchronization

/// A PostgreSQL server, for gateways on several machines.
///
/// Each transaction runs on one of a few threads, with a connection that waits there or is made; so there are no more
/// connections than threads, and a server that comes back is found by the next transaction.
package final class PostgresDatabase: SQLDatabase {
    package struct Configuration: Sendable {
        package var maxConnections = 4
        package var connectTimeout: Duration = .seconds(5)
        /// For a statement, at the server.
        package var statementTimeout: Duration = .seconds(20)
        /// For a row or the schema that another gateway holds, at the server.
        package var lockTimeout: Duration = .seconds(10)
        /// Without a sign of life from the server's machine the connection is lost.
        package var unansweredTimeout: Duration = .seconds(15)

        package init() {}
    }

    package let dialect = SQLDialect(
        bytes: "BYTEA", forUpdate: "FOR UPDATE", forUpdateSkipLocked: "FOR UPDATE SKIP LOCKED",
        // Any numbers that others don't use.
        beforeSchema: [
            "SET LOCAL lock_timeout = 0", "SET LOCAL statement_timeout = 0",
            "SELECT 1 FROM pg_advisory_xact_lock(5063221507)",
        ],
        lockRoom: "SELECT 1 FROM pg_advisory_xact_lock(5063221508)")

    private let url: String
    private let configuration: Configuration
    private let threads: NIOThreadPool
    private let idle = Mutex<[Connection]>([])

    /// A connection belongs to one thread at a time: to the one that took it from `idle`.
    private struct Connection: @unchecked Sendable {
        let session: PostgresConnection
    }

    /// Connects with the first transaction.
    /// - Parameter url: `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…`, or any connection string of libpq.
    package init(url: String, _ configuration: Configuration = .init()) {
        self.url = url
        self.configuration = configuration
        threads = NIOThreadPool(numberOfThreads: configuration.maxConnections)
        threads.start()
    }

    package func read<Value: Sendable>(
        _ body: @Sendable @escaping (any SQLSession) throws -> Value
    ) async throws -> Value {
        try await threads.runIfActive {
            try self.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", body)
        }
    }

    package func write<Value: Sendable>(
        _ body: @Sendable @escaping (any SQLSession) throws -> Value
    ) async throws -> Value {
        try await threads.runIfActive { try self.transaction("BEGIN ISOLATION LEVEL READ COMMITTED", body) }
    }

    package func close() async throws {
        try await threads.shutdownGracefully()
        idle.withLock { $0 = [] }
    }

    private func transaction<Value>(_ begin: String, _ body: (any SQLSession) throws -> Value) throws -> Value {
        let connection = try begun(begin)
        do {
            let value = try body(connection.session)
            _ = try connection.session.run("COMMIT", [])
            idle.withLock { $0.append(connection) }
            return value
        } catch {
            // One that is broken, or does not even take this, is not used again.
            if connection.session.isAlive, (try? connection.session.run("ROLLBACK", [])) != nil {
                idle.withLock { $0.append(connection) }
            }
            throw error
        }
    }

    /// What waited idle may be dead; BEGIN finds out, and may be said again elsewhere.
    private func begun(_ begin: String) throws -> Connection {
        while let connection = idle.withLock({ $0.popLast() }) {
            if (try? connection.session.run(begin, [])) != nil { return connection }
        }
        let connection = Connection(
            session: try PostgresConnection(
                url, connectTimeoutSeconds: max(2, Int(configuration.connectTimeout.components.seconds)),
                unansweredMilliseconds: Self.milliseconds(configuration.unansweredTimeout),
                settings: [
                    "SET statement_timeout = \(Self.milliseconds(configuration.statementTimeout))",
                    "SET lock_timeout = \(Self.milliseconds(configuration.lockTimeout))",
                    // A gateway that is stopped in the middle does not hold a row for long.
                    "SET idle_in_transaction_session_timeout = \(Self.milliseconds(configuration.lockTimeout))",
                ]))
        _ = try connection.session.run(begin, [])
        return connection
    }

    private static func milliseconds(_ duration: Duration) -> Int { Int(duration / .milliseconds(1)) }
}
