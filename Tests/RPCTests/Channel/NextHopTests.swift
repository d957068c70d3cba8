import NIOCore
import Testing

@testable import RPC

/// A server that asks another one.
@Suite(.timeLimit(.minutes(3))) struct NextHopTests {
    private static func with(
        back: [String: RPCHandler], _ body: (Loopback) async throws -> Void
    ) async throws {
        try await Loopback.serving(back) { server in
            try await RPCChannel.with("127.0.0.1:\(server.address.port ?? 0)") { channel async throws in
                let front = RPCHandler.unary { context, request in
                    try await channel.unary("/test.Service/Back", request, options: CallOptions(from: context))
                }
                try await Loopback.with(["Front": front]) { try await body($0) }
            }
        }
    }

    @Test func theNextHopGetsTheRestOfTheTimeLessAMargin() async throws {
        let back = RPCHandler.unary { context, _ in
            let left = (context.deadline?.remaining ?? .zero) / .milliseconds(1)
            return UnaryResponse(Payload("\(Int(left))"))
        }
        try await Self.with(back: ["Back": back]) { front async throws in
            let left = try #require(Int(try await front.unary("Front", deadline: .after(.seconds(60)))))
            #expect(left <= 60_000 - 5)
            #expect(left > 30_000)
            #expect(try await front.unary("Front", deadline: nil) == "0")
        }
    }

    @Test func aDeadlineThatIsNearlyThereIsKept() {
        let near = Deadline.after(.milliseconds(1))
        var context = CallContext(path: "/a/b", metadata: [:], deadline: near, peer: "", takesAttachments: false)
        #expect(CallOptions(from: context).deadline == near)
        context.deadline = nil
        #expect(CallOptions(from: context, metadata: ["a": "b"]).deadline == nil)
        #expect(CallOptions(from: context, metadata: ["a": "b"]).metadata == ["a": "b"])
    }

    @Test func cancellingTheCallCancelsTheNextHop() async throws {
        let begun = Signal()
        let cancelled = Signal()
        let back = RPCHandler.unary { _, _ in
            begun.fire()
            do { try await Task.sleep(for: .seconds(1000)) } catch { cancelled.fire() }
            throw CancellationError()
        }
        try await Self.with(back: ["Back": back]) { front async throws in
            let call = Task { await failure { _ = try await front.unary("Front", deadline: nil) } }
            await begun.wait()
            call.cancel()
            #expect(await call.value?.code == .cancelled)
            await cancelled.wait()
        }
    }
}
