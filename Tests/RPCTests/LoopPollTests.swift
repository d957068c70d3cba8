import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import RPC

@Suite("A loop that polls does not sleep, and does everything else")
struct LoopPollTests {
    /// As often as it takes for the rule, all at one time.
    private static func work(_ loop: any EventLoop, limit: TimeAmount) {
        for _ in 0...PollingRule.leastRow { LoopPoll.of(loop).worked(at: .now(), limit: limit) }
    }

    private static func rounds(_ loop: any EventLoop) async throws -> UInt64 {
        try await loop.submit { LoopPoll.of(loop).rounds }.get()
    }

    @Test(.timeLimit(.minutes(1))) func itPollsUntilTheTimeIsOver() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        // The first time only makes its descriptor.
        while try await Self.rounds(loop) == 0 {
            try await loop.submit { Self.work(loop, limit: .milliseconds(50)) }.get()
        }
        while try await loop.submit({ LoopPoll.of(loop).isPolling }).get() { await Task.yield() }
        let after = try await Self.rounds(loop)
        try await Task.sleep(for: .milliseconds(20))
        #expect(try await Self.rounds(loop) == after, "Then it sleeps.")
        try await group.shutdownGracefully()
    }

    @Test(.timeLimit(.minutes(1))) func itServesAndEndsWhileItPolls() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        while try await Self.rounds(loop) == 0 {
            try await loop.submit { Self.work(loop, limit: .hours(1)) }.get()
        }
        #expect(try await loop.scheduleTask(in: .milliseconds(1)) { LoopPoll.of(loop).isPolling }.futureResult.get())
        try await group.shutdownGracefully()
    }

    @Test func aLoopWithoutSocketsSleepsAsEver() {
        let loop = EmbeddedEventLoop()
        Self.work(loop, limit: .hours(1))
        Self.work(loop, limit: .hours(1))
        #expect(!LoopPoll.of(loop).isPolling)
    }
}
