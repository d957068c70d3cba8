import NIOCore
import RPC
import Testing

@testable import Mesh

/// When lost endpoints are connected to again.
@Suite(.timeLimit(.minutes(5))) struct ReconnectTests {
    @Test func whileCallsWaitTheWaitIsCapped() {
        var random = Dice()
        var configuration = ChannelConfiguration()
        configuration.reconnectWhileAwaited = .milliseconds(400)
        for failures in 1...60 {
            let pace = ReconnectPace(after: failures, configuration, using: &random)
            #expect(pace.whileAwaited <= pace.wait)
            #expect(pace.whileAwaited <= .milliseconds(481))
        }
        let late = ReconnectPace(after: 60, configuration, using: &random)
        #expect(late.wait >= .milliseconds(3900))
        #expect(late.whileAwaited >= .milliseconds(319))
    }

    @Test func aCallThatBeginsToWaitShortensTheWait() async throws {
        try await TestNode.with { nodes async throws in
            let first = try await nodes.start { _ in "before" }
            func configure(_ configuration: inout ChannelConfiguration) {
                // Far beyond the test's time.
                configuration.backoff = Backoff(initial: .seconds(100_000), longest: .seconds(100_000))
                configuration.reconnectWhileAwaited = .milliseconds(10)
            }
            try await BalancedChannel.with([first], configure: configure) { channel async throws in
                #expect(try await channel.ask().answer == "before")
                await first.kill()
                try await channel.until { $0.allSatisfy { $0.state == .connecting } }
                _ = try await nodes.start(port: first.address.port ?? 0) { _ in "after" }
                #expect(try await channel.ask(deadline: .after(.seconds(120))).answer == "after")
            }
        }
    }
}
