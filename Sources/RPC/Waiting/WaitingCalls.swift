import Synchronization

/// The calls of a channel that wait for a connection, and those that are about to: no more than its limit.
package struct WaitingCalls: ~Copyable, Sendable {
    private let limit: Int
    private let waiting = Atomic(0)

    package var count: Int { waiting.load(ordering: .relaxed) }

    package init(limit: Int) { self.limit = limit }

    /// - Parameter place: what `body` waits for, for people.
    /// - Throws: what `body` does; RESOURCE_EXHAUSTED, `neverStarted`, if too many wait already.
    package func with<Result>(
        for place: @autoclosure () -> String, _ body: () async throws -> Result
    ) async throws -> Result {
        let (others, _) = waiting.add(1, ordering: .relaxed)
        defer { waiting.subtract(1, ordering: .relaxed) }
        guard others < limit else {
            throw RPCError(
                .resourceExhausted, "\(others) calls wait for \(place()), limit \(limit)", neverStarted: true,
                limit: .waitingCalls)
        }
        return try await body()
    }
}
