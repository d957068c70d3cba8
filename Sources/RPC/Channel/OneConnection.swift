/// The source of a channel that has one connection, made by somebody else, and no other.
public struct OneConnection: ConnectionSource {
    private let name: String
    private let connection: RPCConnection

    /// - Parameter name: for people.
    public init(_ connection: RPCConnection, name: String) {
        self.name = name
        self.connection = connection
    }

    public func next(_ attempt: NextAttempt) async throws -> SuppliedConnection {
        guard connection.isUsable else {
            throw RPCError(.unavailable, "the connection to \(name) takes no new calls", neverStarted: true)
        }
        return SuppliedConnection(name: name, connection: connection)
    }

    public func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool { false }
    public func finished(_ supplied: SuppliedConnection, _ outcome: AttemptOutcome) {}
    public func drain() { connection.drain() }
    public func close() { connection.close() }
}
