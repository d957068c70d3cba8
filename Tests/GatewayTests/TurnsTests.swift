import NIOCore
import Testing

@testable import Gateway

@Suite struct TurnsTests {
    /// Takes a turn until it is told to leave.
    private final class Visit: Sendable {
        private let (begun, begin) = AsyncStream<Void>.makeStream()
        private let (left, leaving) = AsyncStream<Void>.makeStream()

        func stay() async {
            begin.yield()
            for await _ in left { return }
        }
        func hasBegun() async { for await _ in begun { return } }
        func leave() { leaving.yield() }
    }

    private static func caller(_ number: Int) throws -> Caller.Key {
        Caller(address: try SocketAddress(ipAddress: "192.0.2.\(number)", port: 1)).key
    }

    private static func visit(_ turns: Turns, _ caller: Caller.Key) -> (Visit, Task<Void, any Error>) {
        let visit = Visit()
        return (visit, Task { try await turns.run(for: caller) { await visit.stay() } })
    }

    private static func waits(_ count: Int, for turns: Turns) async {
        while turns.waiting != count { await Task.yield() }
    }

    @Test(.timeLimit(.minutes(5))) func anotherCallerComesBeforeOneThatHasATurn() async throws {
        let turns = Turns(2), busy = try Self.caller(1), other = try Self.caller(2)
        let first = Self.visit(turns, busy), second = Self.visit(turns, busy)
        await first.0.hasBegun()
        await second.0.hasBegun()
        let third = Self.visit(turns, busy)
        await Self.waits(1, for: turns)
        let stranger = Self.visit(turns, other)
        await Self.waits(2, for: turns)
        first.0.leave()
        await stranger.0.hasBegun()
        #expect(turns.waiting == 1)
        second.0.leave()
        await third.0.hasBegun()
        for visit in [third, stranger] { visit.0.leave() }
        for visit in [first, second, third, stranger] { try await visit.1.value }
        // All places are free again.
        let last = Self.visit(turns, busy)
        await last.0.hasBegun()
        last.0.leave()
        try await last.1.value
    }

    @Test(.timeLimit(.minutes(5))) func whoIsCancelledWaitsNoLonger() async throws {
        let turns = Turns(1), caller = try Self.caller(1)
        let first = Self.visit(turns, caller)
        await first.0.hasBegun()
        let second = Self.visit(turns, caller)
        await Self.waits(1, for: turns)
        second.1.cancel()
        await #expect(throws: CancellationError.self) { try await second.1.value }
        #expect(turns.waiting == 0)
        first.0.leave()
        try await first.1.value
        await #expect(throws: (any Error).self) {
            try await turns.run(for: caller) { () async throws -> Void in throw CancellationError() }
        }
        let third = Self.visit(turns, caller)
        await third.0.hasBegun()
        third.0.leave()
        try await third.1.value
    }
}
