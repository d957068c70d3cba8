import HTTP2
import NIOCore
import Synchronization
import Testing

@testable import RPC

/// Hedged streaming calls over real sockets.
@Suite(.timeLimit(.minutes(3))) struct HedgedCallTests {
    private static let never = Duration.seconds(10_000)
    private static let options = CallOptions(deadline: .after(.seconds(100)))

    /// Serves `handler`, which gets the number of its call, with a channel that hedges.
    private static func serving(
        _ policy: HedgingPolicy, replayBytes: Int = 256 << 10,
        _ handler: @escaping @Sendable (Int, MessageStream, ResponseWriter) async throws -> Void,
        _ body: (RPCChannel, Counter) async throws -> Void
    ) async throws {
        try await RPCChannel.serving(.hedge(policy), replayBytes: replayBytes, handler) { channel, calls async throws in
            try await body(channel, calls)
            // Nothing that was kept is forgotten.
            #expect(channel.state.reserveReplay(channel.state.configuration.maxReplayBytesOfAll))
        }
    }

    @Test func aSlowAttemptIsOvertakenAndCancelledAndTheNextIsSentEverything() async throws {
        let (second, cancelled) = (Signal(), Signal())
        let policy = HedgingPolicy(maxAttempts: 2, delay: .milliseconds(20))
        try await Self.serving(policy) { number, requests, responses in
            if number == 1 {
                defer { cancelled.fire() }
                for try await _ in requests {}
                try await Task.sleep(for: .seconds(600))
            }
            second.fire()
            for try await request in requests { try await responses.write(request) }
        } _: { channel, calls async throws in
            let call = try await channel.open("/test.Service/Stream", options: Self.options)
            try await call.send(Payload("a"))
            await second.wait()
            try await call.send(Payload("b"))
            var responses = call.responses.makeAsyncIterator()
            #expect(try await responses.next()?.text == "a")
            await cancelled.wait()
            // Committed: more than is kept may follow.
            for index in 0..<100 { try await call.send(Payload("\(index)")) }
            call.finishSending()
            #expect(try await responses.next()?.text == "b")
            for index in 0..<100 { #expect(try await responses.next()?.text == "\(index)") }
            #expect(try await responses.next() == nil)
            #expect(calls.value == 2)
        }
    }

    @Test func serverStreamsAreHedged() async throws {
        let policy = HedgingPolicy(maxAttempts: 3, delay: Self.never)
        try await Self.serving(policy) { number, requests, responses in
            var texts = ""
            for try await request in requests { texts += request.text }
            if number < 3 { throw RPCError(.unavailable, "not now") }
            for index in 0..<3 { try await responses.write(Payload("\(texts)\(index)")) }
        } _: { channel, calls async throws in
            let call = try await channel.open("/test.Service/Stream", options: Self.options)
            try await call.send(Payload("x"))
            call.finishSending()
            #expect(try await collect(call.responses) == ["x0", "x1", "x2"])
            #expect(calls.value == 3)
        }
    }

    @Test func afterTheFirstHeadAnErrorIsTheCalls() async throws {
        let ended = Signal()
        let seen = Mutex<RPCError?>(nil)
        try await Self.serving(HedgingPolicy(maxAttempts: 3, delay: Self.never)) { _, _, responses in
            try await responses.write(Payload("one"))
            throw RPCError(.unavailable, "later", metadata: ["x-why": "because"])
        } _: { channel, calls async throws in
            let call = try await channel.open("/test.Service/Stream", options: Self.options)
            call.onEnd { error in
                seen.withLock { $0 = error }
                ended.fire()
            }
            var responses = call.responses.makeAsyncIterator()
            #expect(try await responses.next()?.text == "one")
            let error = await failure { _ = try await responses.next() }
            #expect(error?.message == "later")
            #expect(call.trailers["x-why"] == "because")
            await ended.wait()
            #expect(seen.withLock { $0?.message } == "later")
            #expect(calls.value == 1)
            #expect(await failure { try await call.send(Payload("x")) } != nil)
        }
    }

    @Test func aFatalErrorEndsTheCallAndItsOtherAttempts() async throws {
        try await RawServer.with {
            $0.number < 3 ? .silence : .status(.invalidArgument)
        } _: { server, address async throws in
            let policy = HedgingPolicy(maxAttempts: 3, delay: .milliseconds(5))
            try await RPCChannel.with(address, .hedge(policy)) { channel async throws in
                let call = try await channel.open("/a/b", options: Self.options)
                try await call.send(Payload("x"))
                #expect(await failure { _ = try await collect(call.responses) }?.code == .invalidArgument)
                #expect(await failure { _ = try await call.initialMetadata() }?.code == .invalidArgument)
                await server.sawResets(2)
            }
        }
    }

    @Test func allErrorsNonFatalTheLastOneCounts() async throws {
        try await RawServer.with { _ in
            .status(.unavailable)
        } _: { server, address async throws in
            let policy = HedgingPolicy(maxAttempts: 3, delay: .zero)
            try await RPCChannel.with(address, .hedge(policy)) { channel async throws in
                let error = await failure {
                    let call = try await channel.open("/a/b", options: Self.options)
                    _ = try await collect(call.responses)
                }
                #expect(error?.code == .unavailable)
                #expect(server.calls.count == 3)
                #expect(server.calls.map { $0["grpc-previous-rpc-attempts"] ?? "0" }.sorted() == ["0", "1", "2"])
            }
        }
    }

    @Test func whatGoesBeyondTheBufferEndsTheHedging() async throws {
        let (first, second) = (Signal(), Signal())
        let policy = HedgingPolicy(maxAttempts: 2, delay: .milliseconds(1))
        try await Self.serving(policy, replayBytes: 1000) { number, requests, responses in
            (number == 1 ? first : second).fire()
            var count = 0
            for try await request in requests { count += request.message.readableBytes }
            try await responses.write(Payload("\(count)"))
        } _: { channel, calls async throws in
            let call = try await channel.open("/test.Service/Stream", options: Self.options)
            await first.wait()
            await second.wait()
            for _ in 0..<50 { try await call.send(Payload(ByteBuffer(repeating: 1, count: 100_000))) }
            call.finishSending()
            #expect(try await collect(call.responses) == ["5000000"])
            #expect(calls.value == 2)
        }
    }

    @Test(arguments: ["cancel", "task", "deadline"])
    func theEndOfTheCallIsTheEndOfAllAttempts(_ how: String) async throws {
        let all = Signal()
        try await RawServer.with { call in
            if call.number == 3 { all.fire() }
            return .silence
        } _: { server, address async throws in
            let policy = HedgingPolicy(maxAttempts: 3, delay: .milliseconds(1))
            try await RPCChannel.with(address, .hedge(policy)) { channel async throws in
                let options = how == "deadline" ? CallOptions(deadline: .after(.seconds(10))) : CallOptions()
                let call = try await channel.open("/a/b", options: options)
                let reader = Task { await failure { _ = try await collect(call.responses) } }
                if how != "deadline" { await all.wait() }
                if how == "cancel" { call.cancel() }
                if how == "task" { reader.cancel() }
                let error = await reader.value
                #expect(error?.code == (how == "deadline" ? .deadlineExceeded : .cancelled))
                await server.sawResets(server.calls.count)
            }
        }
    }

    @Test func openFailsAsTheLastAttempt() async throws {
        // Nobody listens there.
        let policy = HedgingPolicy(maxAttempts: 2, delay: .zero)
        try await RPCChannel.with("127.0.0.1:1", .hedge(policy)) { channel async throws in
            let error = await failure { _ = try await channel.open("/a/b", options: Self.options) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func aDrainedChannelHedgesNoMore() async throws {
        try await Self.serving(HedgingPolicy(delay: .zero)) { _, _, _ in
        } _: { channel, calls async throws in
            channel.drain()
            #expect(await failure { _ = try await channel.open("/test.Service/Stream") }?.code == .unavailable)
            #expect(calls.value == 0)
        }
    }
}
