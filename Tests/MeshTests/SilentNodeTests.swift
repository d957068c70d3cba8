import NIOCore
import TestSupport
import Testing

@testable import Mesh
@testable import RPC

/// Nodes whose host says nothing any more, or never did.
@Suite(.timeLimit(.minutes(5))) struct SilentNodeTests {
    @Test func aNodeThatFallsSilentIsFoundWithoutACall() async throws {
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start { _ in "far" }
            try await SilentHost.with(before: node.address) { host async throws in
                let script = Script()
                script.set([try host.address])
                func configure(_ configuration: inout ChannelConfiguration) {
                    configuration.client.keepalive.minTime = .milliseconds(50)
                    configuration.client.keepalive.time = .milliseconds(500)
                    configuration.client.keepalive.timeout = .seconds(2)
                }
                try await BalancedChannel.with(script, configure: configure) { channel async throws in
                    try await channel.until { $0.count == 1 && $0.allSatisfy { $0.state == .ready } }
                    #expect(try await channel.ask().answer == "far")
                    host.fallSilent()
                    try await channel.until { $0.allSatisfy { $0.state != .ready } }
                }
            }
        }
    }

    @Test func aChannelAsksByItselfAsOftenAsServersOfItsClusterAllow() {
        let keepalive = ChannelConfiguration().client.keepalive
        #expect(keepalive.effectiveTime == .seconds(10))
        #expect(keepalive.timeout == .seconds(5))
        #expect(keepalive.permitWithoutCalls)
        var strikes = PingStrikes(.cluster)
        for ping in 0..<100 {
            // Some late, and then the next one early.
            let now = NIODeadline.uptimeNanoseconds(UInt64(ping) * 10_000_000_000 + (ping % 2 == 0 ? 4_000_000_000 : 0))
            let isTooMany = strikes.received(at: now, hasCalls: false, framesSent: 0)
            #expect(!isTooMany)
        }
    }

    @Test func aNodeThatNeverSaysAWordGetsNoCalls() async throws {
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start { _ in "there" }
            try await SilentHost.with(before: nil) { host async throws in
                let script = Script()
                script.set([try host.address, node.address])
                try await BalancedChannel.with(
                    script, configure: { $0.client.connectTimeout = .milliseconds(500) }
                ) { channel async throws in
                    for _ in 0..<20 { #expect(try await channel.ask() == ("there", 0)) }
                    try await channel.until { $0.contains { $0.reason?.contains("no HTTP/2 SETTINGS within") == true } }
                    #expect(node.calls == 20)
                }
            }
        }
    }
}
