import HTTP2
import NIOCore
import Testing

@testable import RPC

/// Streaming calls of a channel, before and after they are committed.
@Suite(.timeLimit(.minutes(3))) struct RetriedCallTests {
    private static let options = CallOptions(deadline: .after(.seconds(100)))

    private static func serving(
        _ policy: AttemptPolicy, replayBytes: Int = 256 << 10,
        _ handler: @escaping @Sendable (Int, MessageStream, ResponseWriter) async throws -> Void,
        _ body: (ClientCall, Counter) async throws -> Void
    ) async throws {
        try await RPCChannel.serving(policy, replayBytes: replayBytes, handler) { channel, calls async throws in
            try await body(try await channel.open("/test.Service/Stream", options: Self.options), calls)
        }
    }

    private static let unavailable = RPCError(.unavailable, "not now")

    @Test func aStreamWithoutTroubleIsOneCall() async throws {
        try await Self.serving(.once) { _, requests, responses in
            for try await request in requests { try await responses.write(request) }
        } _: { call, calls async throws in
            var responses = call.responses.makeAsyncIterator()
            for index in 0..<100 {
                try await call.send(Payload("\(index)"))
                #expect(try await responses.next()?.text == "\(index)")
            }
            call.finishSending()
            #expect(try await responses.next() == nil)
            #expect(calls.value == 1)
        }
    }

    @Test func whatWasSentToAFailedAttemptIsSentAgain() async throws {
        try await Self.serving(.retry(.quick())) { number, requests, responses in
            var texts = ""
            for try await request in requests {
                texts += request.text
                if number < 3 { throw Self.unavailable }
            }
            try await responses.write(Payload(texts))
        } _: { call, calls async throws in
            for letter in ["a", "b", "c", "d"] { try await call.send(Payload(letter)) }
            call.finishSending()
            #expect(try await collect(call.responses) == ["abcd"])
            #expect(calls.value == 3)
        }
    }

    @Test func aCallIsRetriedAlsoWhileNobodyReads() async throws {
        let second = Signal()
        try await Self.serving(.retry(.quick())) { number, requests, responses in
            if number == 1 { throw Self.unavailable }
            var texts = ""
            for try await request in requests {
                texts += request.text
                second.fire()
            }
            try await responses.write(Payload(texts))
        } _: { call, _ async throws in
            try await call.send(Payload("a"))
            await second.wait()
            try await call.send(Payload("b"))
            call.finishSending()
            #expect(try await collect(call.responses) == ["ab"])
        }
    }

    @Test func theMetadataIsThatOfTheAttemptThatAnswers() async throws {
        try await Self.serving(.retry(.quick())) { number, _, responses in
            if number == 1 { throw Self.unavailable }
            responses.setInitialMetadata(["x-attempt": "\(number)"])
            responses.setTrailers(["x-end": "\(number)"])
            try await responses.write(Payload("."))
        } _: { call, _ async throws in
            #expect(try await call.initialMetadata()["x-attempt"] == "2")
            #expect(try await collect(call.responses) == ["."])
            #expect(call.trailers["x-end"] == "2")
        }
    }

    // ---- what waits, and what comes too late ----

    private static func silent(_ body: (RPCChannel, ClientCall) async throws -> Void) async throws {
        try await RawServer.with { _ in
            .silence
        } _: { server, address async throws in
            try await RPCChannel.with(address) { channel async throws in
                try await body(channel, try await channel.open("/a/b"))
                let connection = try await channel.source.next(NextAttempt(path: "/a/b", options: CallOptions()))
                    .connection
                try await body(channel, try await connection.open("/a/b"))
                // Both were ended by the client.
                await server.sawResets(2)
            }
        }
    }

    @Test func cancellingWhoWaitsForTheHeadCancelsTheCall() async throws {
        try await Self.silent { _, call in
            let waiting = Task { await failure { _ = try await call.initialMetadata() } }
            waiting.cancel()
            #expect(await waiting.value?.code == .cancelled)
        }
    }

    @Test func aMessageAfterTheEndOfSendingIsRefused() async throws {
        try await Self.silent { _, call in
            try await call.send(Payload("one"))
            call.finishSending()
            let error = await failure { try await call.send(Payload("two")) }
            #expect(error?.code == .failedPrecondition)
            #expect(error?.message == "a message was sent after the end of sending")
            call.cancel()
        }
    }

    @Test func aMessageAfterTheEndOfSendingIsNotSentByARetryEither() async throws {
        try await Self.serving(.retry(.quick())) { number, requests, responses in
            var texts = ""
            for try await request in requests { texts += request.text }
            if number == 1 { throw Self.unavailable }
            try await responses.write(Payload(texts))
        } _: { call, _ async throws in
            try await call.send(Payload("one"))
            call.finishSending()
            _ = await failure { try await call.send(Payload("two")) }
            #expect(try await collect(call.responses) == ["one"])
        }
    }

    @Test func theHeadFreesWhatWasKept() async throws {
        let handler = RPCHandler.stream { _, requests, responses in
            for try await request in requests { try await responses.write(request) }
        }
        try await Loopback.serving(["Stream": handler]) { server in
            try await RPCChannel.with(
                "127.0.0.1:\(server.address.port ?? 0)", configure: { $0.maxReplayBytesOfAll = 3000 }
            ) { channel async throws in
                let call = try await channel.open("/test.Service/Stream", options: Self.options)
                try await call.send(Payload(String(repeating: "x", count: 2000)))
                // Nobody reads, and nothing more is sent.
                while !channel.state.reserveReplay(3000) { try await Task.sleep(for: .milliseconds(1)) }
                call.cancel()
            }
        }
    }

    // ---- committed ----

    @Test func afterTheFirstResponseACallIsNotRetried() async throws {
        try await Self.serving(.retry(.quick())) { _, _, responses in
            try await responses.write(Payload("one"))
            throw Self.unavailable
        } _: { call, calls async throws in
            var responses = call.responses.makeAsyncIterator()
            #expect(try await responses.next()?.text == "one")
            #expect(await failure { _ = try await responses.next() }?.message == "not now")
            #expect(calls.value == 1)
        }
    }

    @Test func beyondItsBufferACallIsNotRetried() async throws {
        try await Self.serving(.retry(.quick()), replayBytes: 1000) { _, requests, _ in
            for try await _ in requests {}
            throw Self.unavailable
        } _: { call, calls async throws in
            try await call.send(Payload(String(repeating: "x", count: 2000)))
            call.finishSending()
            #expect(await failure { _ = try await collect(call.responses) }?.code == .unavailable)
            #expect(calls.value == 1)
        }
    }

    @Test func allCallsOfAChannelShareABuffer() async throws {
        let handler = RPCHandler.stream { _, requests, _ in
            for try await _ in requests {}
            throw Self.unavailable
        }
        let calls = Counter()
        let counted = RPCHandler.stream { context, requests, responses in
            calls.add()
            guard case .stream(let body) = handler else { return }
            try await body(context, requests, responses)
        }
        try await Loopback.serving(["Stream": counted]) { server in
            try await RPCChannel.with(
                "127.0.0.1:\(server.address.port ?? 0)", .retry(.quick(2)),
                configure: { $0.maxReplayBytesOfAll = 3000 }
            ) { channel async throws in
                let holder = try await channel.open("/test.Service/Stream", options: Self.options)
                try await holder.send(Payload(String(repeating: "x", count: 2500)))
                // There is no room left for this one.
                let other = try await channel.open("/test.Service/Stream", options: Self.options)
                try await other.send(Payload(String(repeating: "x", count: 1000)))
                other.finishSending()
                #expect(await failure { _ = try await collect(other.responses) }?.code == .unavailable)
                #expect(calls.value == 2)
                // The first one kept its own, and gives it back when it ends.
                holder.finishSending()
                #expect(await failure { _ = try await collect(holder.responses) }?.code == .unavailable)
                #expect(calls.value == 3)
                #expect(channel.state.reserveReplay(3000))
            }
        }
    }

    // ---- deadline and cancel ----

    @Test func cancellingACallEndsItsBackoff() async throws {
        try await WatchedSource.failing { channel, failed, _ async throws in
            let call = try await channel.open("/a/b")
            await failed.wait()
            async let end = failure { _ = try await collect(call.responses) }
            call.cancel()
            #expect(await end?.code == .cancelled)
            #expect(await failure { try await call.send(Payload("late")) }?.code == .cancelled)
        }
    }

    @Test func cancellingItsReaderEndsACallInItsBackoff() async throws {
        try await WatchedSource.failing { channel, failed, _ async throws in
            let call = try await channel.open("/a/b")
            let ended = Signal()
            call.onEnd { error in if error?.code == .cancelled { ended.fire() } }
            let reader = Task { await failure { _ = try await collect(call.responses) } }
            await failed.wait()
            reader.cancel()
            #expect(await reader.value?.code == .cancelled)
            await ended.wait()
        }
    }

    @Test func drainingTheChannelEndsACallInItsBackoff() async throws {
        try await WatchedSource.failing { channel, _, _ async throws in
            let call = try await channel.open("/a/b")
            async let end = failure { _ = try await collect(call.responses) }
            while channel.state.pauses.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            channel.drain()
            #expect(await end?.code == .unavailable)
            #expect(await failure { try await call.send(Payload("late")) }?.code == .unavailable)
        }
    }

    @Test func whatIsSentDuringABackoffIsKept() async throws {
        try await WatchedSource.failing { channel, failed, _ async throws in
            let call = try await channel.open("/a/b")
            await failed.wait()
            for _ in 0..<10 { try await call.send(Payload("x")) }
            // More than it keeps has to wait for the next attempt; its task can be cancelled.
            let large = Payload(String(repeating: "x", count: 300 << 10))
            let sender = Task { await failure { try await call.send(large) } }
            sender.cancel()
            #expect(await sender.value?.code == .cancelled)
            call.cancel()
        }
    }

    @Test func aRetryThatWouldOutlastTheDeadlineIsNotWaitedFor() async throws {
        try await RawServer.with { _ in
            .status(.unavailable)
        } _: { _, address async throws in
            try await RPCChannel.with(address, .retry(.endless)) { channel async throws in
                let call = try await channel.open("/a/b", options: .init(deadline: .after(.seconds(60))))
                #expect(await failure { _ = try await collect(call.responses) }?.code == .unavailable)
            }
        }
    }

    @Test func theDeadlineEndsAStreamThatIsNotAnswered() async throws {
        try await RawServer.with { _ in
            .silence
        } _: { _, address async throws in
            try await RPCChannel.with(address, .retry(.quick(4, [.deadlineExceeded]))) { channel async throws in
                // The connection stands when the clock starts.
                let warm = try await channel.open("/a/b")
                warm.cancel()
                let call = try await channel.open("/a/b", options: .init(deadline: .after(.milliseconds(500))))
                #expect(await failure { _ = try await collect(call.responses) }?.code == .deadlineExceeded)
            }
        }
    }

    @Test func drainingEndsTheRetriesOfAStream() async throws {
        let begun = Signal()
        let release = Signal()
        try await Loopback.serving([
            "Stream": .stream { _, _, _ in
                begun.fire()
                await release.wait()
                throw Self.unavailable
            }
        ]) { server in
            let address = "127.0.0.1:\(server.address.port ?? 0)"
            try await RPCChannel.with(address, .retry(.quick())) { channel async throws in
                let call = try await channel.open("/test.Service/Stream", options: Self.options)
                await begun.wait()
                channel.drain()
                release.fire()
                #expect(await failure { _ = try await collect(call.responses) }?.message == "not now")
            }
        }
    }
}
