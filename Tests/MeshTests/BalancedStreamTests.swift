import NIOCore
import RPC
import Testing

@testable import Mesh

/// Streaming calls, and what they tell the balancer.
@Suite struct BalancedStreamTests {
    private func open(_ channel: BalancedChannel, _ method: String) async throws -> ClientCall {
        try await channel.open("/test.Node/\(method)", options: .init(deadline: .after(.seconds(100))))
    }

    @Test func streamsThatFailAtTheirBeginningAreTheirNodesFailures() async throws {
        try await TestNode.with { nodes async throws in
            let bad = try await nodes.start { _ in throw RPCError(.unavailable, "not now") }
            let good = try await nodes.start { _ in "good" }
            try await BalancedChannel.with([bad, good]) { channel async throws in
                for _ in 0..<100 {
                    let call = try await open(channel, "Watch")
                    var responses = call.responses.makeAsyncIterator()
                    #expect(try await responses.next()?.message == ByteBuffer(string: "good"))
                    #expect(try await responses.next() == nil)
                }
                #expect((1...20).contains(bad.calls))
                let state = try #require(channel.endpoints().first { $0.name == bad.name })
                #expect(state.failures == UInt64(bad.calls))
                #expect(channel.endpoints().map(\.outstanding) == [0, 0])
            }
        }
    }

    @Test func openStreamsAreSpreadAndCounted() async throws {
        try await TestNode.with { nodes async throws in
            let both = [try await nodes.start(), try await nodes.start()]
            try await BalancedChannel.with(both) { channel async throws in
                var calls: [ClientCall] = []
                for _ in 0..<10 {
                    let call = try await open(channel, "Chat")
                    try await call.send(Payload(ByteBuffer(string: "x")))
                    var responses = call.responses.makeAsyncIterator()
                    #expect(try await responses.next() != nil)
                    calls.append(call)
                }
                #expect(channel.endpoints().map(\.outstanding) == [5, 5])
                for call in calls {
                    call.finishSending()
                    for try await _ in call.responses {}
                }
                #expect(channel.endpoints().map(\.outstanding) == [0, 0])
            }
        }
    }

    @Test func aStreamStaysOnItsNode() async throws {
        try await TestNode.with { nodes async throws in
            let a = try await nodes.start()
            try await BalancedChannel.with([a]) { channel async throws in
                let call = try await channel.open("/test.Node/Chat", options: .init(deadline: .after(.seconds(20))))
                var responses = call.responses.makeAsyncIterator()
                for index in 0..<10 {
                    try await call.send(Payload(ByteBuffer(string: "\(index)")))
                    #expect(try await responses.next()?.message == ByteBuffer(string: "\(index)"))
                }
                call.finishSending()
                #expect(try await responses.next() == nil)
                #expect(channel.endpoints().map(\.outstanding) == [0])
            }
        }
    }
}
