import NIOCore
import Testing

@testable import HTTP2
@testable import RPC

/// A channel and a server that refuses, says goodbye, pushes back, or says nothing.
@Suite(.timeLimit(.minutes(3))) struct HostileServerTests {
    // ---- GOAWAY ----

    @Test func aCallAboveTheLastIdOfAGoAwayIsSentOnceMoreElsewhere() async throws {
        try await RawServer.with {
            $0.number == 1 ? .goAway(last: 0) : .answer("again")
        } _: { server, address async throws in
            try await RPCChannel.with(address) { channel async throws in
                let response = try await channel.call("/a/b", Payload("x"))
                #expect(response.response.payload.text == "again")
                #expect(response.retries == 1)
                #expect(server.connectionCount == 2)
                // It is not counted as an attempt.
                #expect(server.calls.map { $0["grpc-previous-rpc-attempts"] } == [nil, nil])
            }
        }
    }

    @Test func aServerThatAlwaysSaysGoodbyeEndsTheCallAfterTwoAttempts() async throws {
        try await RawServer.with { _ in
            .goAway(last: 0)
        } _: { server, address async throws in
            try await RPCChannel.with(address) { channel async throws in
                let error = await failure { _ = try await channel.ask() }
                #expect(error?.code == .unavailable)
                #expect(error?.neverStarted == true)
                #expect(server.calls.count == 2)
            }
        }
    }

    @Test func aCallAtTheLastIdOfAGoAwayIsNotSentAgain() async throws {
        try await RawServer.with {
            .goAwayThenAnswer("\($0.number)")
        } _: { server, address async throws in
            try await RPCChannel.with(address) { channel async throws in
                #expect(try await channel.ask() == "1")
                // The next call has a connection of its own.
                #expect(try await channel.ask() == "2")
                #expect(server.connectionCount == 2)
            }
        }
    }

    @Test func aCallThatALostConnectionMayHaveRunIsNotSentAgainWithoutAPolicy() async throws {
        try await RawServer.with { _ in
            .cut
        } _: { server, address async throws in
            try await RPCChannel.with(address) { channel async throws in
                let error = await failure { _ = try await channel.ask() }
                #expect(error?.code == .unavailable)
                #expect(error?.lostConnection == true)
                #expect(server.calls.count == 1)
            }
        }
    }

    @Test func withAPolicyALostCallIsSentAgain() async throws {
        try await RawServer.with {
            $0.number < 3 ? .cut : .answer("there")
        } _: { server, address async throws in
            try await RPCChannel.with(address, .retry(.quick())) { channel async throws in
                #expect(try await channel.ask() == "there")
                #expect(server.calls.map { $0["grpc-previous-rpc-attempts"] } == [nil, "1", "2"])
            }
        }
    }

    // ---- REFUSED_STREAM ----

    @Test func alwaysRefusedACallIsSentTwiceWithoutAPolicy() async throws {
        try await RawServer.with { _ in
            .refuse
        } _: { server, address async throws in
            try await RPCChannel.with(address) { channel async throws in
                #expect(await failure { _ = try await channel.ask() }?.code == .unavailable)
                #expect(server.calls.count == 2)
            }
        }
    }

    @Test func alwaysRefusedACallIsSentAsOftenAsItsPolicySaysAndOnceMore() async throws {
        try await RawServer.with { _ in
            .refuse
        } _: { server, address async throws in
            try await RPCChannel.with(address, .retry(.quick(3))) { channel async throws in
                #expect(await failure { _ = try await channel.ask() }?.code == .unavailable)
                #expect(server.calls.count == 4)
            }
        }
    }

    @Test func refusalsUseTheBudgetUp() async throws {
        try await RawServer.with { _ in
            .refuse
        } _: { server, address async throws in
            try await RPCChannel.with(address, .retry(.quick(5)), throttle: RetryThrottle(maxTokens: 10)) {
                channel async throws in
                for _ in 0..<50 { #expect(await failure { _ = try await channel.ask() }?.code == .unavailable) }
                // Each call once, and once more for nothing; few by the policy.
                #expect((100..<110).contains(server.calls.count))
            }
        }
    }

    @Test func aStreamThatIsRefusedBeginsAgainWithAllThatWasSent() async throws {
        try await RawServer.with {
            $0.number == 1 ? .refuse : .answer("there")
        } _: { server, address async throws in
            try await RPCChannel.with(address) { channel async throws in
                let call = try await channel.open("/a/b", options: .init(deadline: .after(.seconds(60))))
                try await call.send(Payload("one"))
                call.finishSending()
                #expect(try await collect(call.responses) == ["there"])
                #expect(server.calls.count == 2)
            }
        }
    }

    // ---- pushback ----

    private static func unavailable(_ pushback: String) -> RawServer.Reply {
        .status(.unavailable, [HeaderField("grpc-retry-pushback-ms", pushback)])
    }

    @Test(arguments: ["-1", "abc", "", "1.5"])
    func aServerMayForbidAnotherAttempt(_ pushback: String) async throws {
        try await RawServer.with { _ in
            Self.unavailable(pushback)
        } _: { server, address async throws in
            try await RPCChannel.with(address, .retry(.quick())) { channel async throws in
                #expect(await failure { _ = try await channel.ask() }?.code == .unavailable)
                #expect(server.calls.count == 1)
            }
        }
    }

    @Test(arguments: ["0", "30"])
    func aServerMaySayWhen(_ pushback: String) async throws {
        try await RawServer.with {
            $0.number == 1 ? Self.unavailable(pushback) : .answer("later")
        } _: {
            server, address async throws in
            // The backoff of the policy is not waited for.
            try await RPCChannel.with(address, .retry(.endless)) { channel async throws in
                let start = ContinuousClock.now
                #expect(try await channel.ask(deadline: nil) == "later")
                #expect(ContinuousClock.now - start >= .milliseconds(Int(pushback) ?? 0))
                #expect(server.calls.count == 2)
            }
        }
    }

    @Test func aPushbackBeyondTheDeadlineEndsTheCallNow() async throws {
        try await RawServer.with { _ in
            Self.unavailable("1000000000")
        } _: { server, address async throws in
            try await RPCChannel.with(address, .retry(.quick())) { channel async throws in
                let deadline = Deadline.after(.seconds(3600))
                #expect(await failure { _ = try await channel.ask(deadline: deadline) }?.code == .unavailable)
                #expect(server.calls.count == 1)
            }
        }
    }

    // ---- commit ----

    @Test func afterAResponseHeadACallIsNotRetried() async throws {
        try await RawServer.with { _ in
            .headThenStatus(.unavailable)
        } _: { server, address async throws in
            try await RPCChannel.with(address, .retry(.quick())) { channel async throws in
                #expect(await failure { _ = try await channel.ask() }?.code == .unavailable)
                #expect(server.calls.count == 1)
                let call = try await channel.open("/a/b", options: .init(deadline: .after(.seconds(60))))
                #expect(await failure { _ = try await collect(call.responses) }?.code == .unavailable)
                #expect(server.calls.count == 2)
            }
        }
    }

    // ---- amplification ----

    @Test func aServerThatFailsEverythingIsAskedHardlyMoreThanOncePerCall() async throws {
        try await RawServer.with { _ in
            .status(.unavailable)
        } _: { server, address async throws in
            let throttle = RetryThrottle(maxTokens: 20, tokenRatio: 0.1)
            try await RPCChannel.with(address, .retry(.quick(5)), throttle: throttle) { channel async throws in
                let calls = 1000
                await withTaskGroup(of: Void.self) { tasks in
                    for _ in 0..<10 {
                        tasks.addTask {
                            for _ in 0..<calls / 10 { _ = await failure { _ = try await channel.ask() } }
                        }
                    }
                }
                #expect(Double(server.calls.count) <= Double(calls) * 1.1)
                #expect(server.calls.count >= calls)
            }
        }
    }

    @Test func hedgesObeyTheSameBudget() async throws {
        try await RawServer.with { _ in
            .status(.unavailable)
        } _: { server, address async throws in
            let throttle = RetryThrottle(maxTokens: 20, tokenRatio: 0.1)
            let policy = HedgingPolicy(maxAttempts: 5, delay: .zero)
            try await RPCChannel.with(address, .hedge(policy), throttle: throttle) { channel async throws in
                let calls = 500
                for _ in 0..<calls { #expect(await failure { _ = try await channel.ask() }?.code == .unavailable) }
                #expect(Double(server.calls.count) <= Double(calls) * 1.1)
            }
        }
    }

    // ---- deadline and cancel ----

    @Test(arguments: [RawServer.Reply.silence, .headThenSilence])
    func theDeadlineEndsACallThatIsNotAnswered(_ reply: RawServer.Reply) async throws {
        try await RawServer.with { _ in
            reply
        } _: { server, address async throws in
            try await RPCChannel.with(address, .retry(.quick(4, [.unavailable, .deadlineExceeded]))) {
                channel async throws in
                _ = await failure { _ = try await channel.ask(deadline: .after(.milliseconds(100))) }
                let error = await failure { _ = try await channel.ask(deadline: .after(.milliseconds(50))) }
                #expect(error?.code == .deadlineExceeded)
                #expect(server.calls.count <= 2)
            }
        }
    }

    @Test func cancellingACallResetsItsStream() async throws {
        let begun = Signal()
        try await RawServer.with { _ in
            begun.fire()
            return .silence
        } _: { server, address async throws in
            try await RPCChannel.with(address, .retry(.quick())) { channel async throws in
                let call = Task { await failure { _ = try await channel.ask(deadline: nil) } }
                await begun.wait()
                call.cancel()
                #expect(await call.value?.code == .cancelled)
                await server.sawResets(1)
                #expect(server.calls.count == 1)
            }
        }
    }

    /// Whether it may have a second attempt or not.
    @Test(arguments: [nil, Duration.seconds(5000)])
    func cancellingACallEndsItsBackoff(_ hedgeDelay: Duration?) async throws {
        try await WatchedSource.failing(hedgeDelay: hedgeDelay) { channel, failed, _ async throws in
            let call = Task { await failure { _ = try await channel.ask(deadline: nil) } }
            await failed.wait()
            call.cancel()
            #expect(await call.value?.code == .cancelled)
        }
    }

    /// Whether it may have a second attempt or not.
    @Test(arguments: [nil, Duration.seconds(5000)], [false, true])
    func whatWaitsForItsNextAttemptEndsWithItsChannel(_ hedgeDelay: Duration?, _ isClosed: Bool) async throws {
        try await WatchedSource.failing(hedgeDelay: hedgeDelay) { channel, _, _ async throws in
            async let end = failure { _ = try await channel.ask(deadline: nil) }
            while channel.state.pauses.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
            if isClosed { channel.close() } else { channel.drain() }
            let error = await end
            #expect(error?.code == .unavailable)
            // A server has seen it.
            #expect(error?.neverStarted == false)
        }
    }

    @Test func drainingEndsRetries() async throws {
        try await RawServer.with { _ in
            .status(.unavailable)
        } _: { server, address async throws in
            try await RPCChannel.with(address, .retry(.quick(5))) { channel async throws in
                _ = await failure { _ = try await channel.ask() }
                let before = server.calls.count
                channel.drain()
                let error = await failure { _ = try await channel.ask() }
                #expect(error?.code == .unavailable)
                #expect(error?.neverStarted == true)
                #expect(server.calls.count == before)
            }
        }
    }

    // ---- of use ----

    private static var onceOnly: EndpointConfiguration {
        var endpoint = EndpointConfiguration.quick
        endpoint.backoff = Backoff(initial: .seconds(10_000), longest: .seconds(10_000))
        return endpoint
    }

    @Test func aServerThatClosesAtEachStreamIsNotAskedAgainAndAgain() async throws {
        try await RawServer.with { _ in
            .cut
        } _: { server, address async throws in
            try await RPCChannel.with(address, endpoint: Self.onceOnly) { channel async throws in
                let responses = try await channel.open("/a/b").responses
                let end = await failure { _ = try await collect(responses) }
                #expect(end?.lostConnection == true)
                let error = await failure { _ = try await channel.ask(deadline: .after(.milliseconds(100))) }
                #expect(error?.code == .deadlineExceeded)
                #expect(server.connectionCount == 1)
            }
        }
    }

    @Test func aServerThatAnsweredAStreamIsAskedAgainAtOnce() async throws {
        try await RawServer.with {
            switch $0.number {
            case 1: .headThenSilence
            case 2: .cut
            default: .answer("again")
            }
        } _: { server, address async throws in
            try await RPCChannel.with(address, endpoint: Self.onceOnly) { channel async throws in
                let first = try await channel.open("/a/b")
                _ = try await first.initialMetadata()
                let second = try await channel.open("/a/b")
                #expect(await failure { _ = try await collect(second.responses) }?.lostConnection == true)
                #expect(await failure { _ = try await collect(first.responses) }?.lostConnection == true)
                #expect(try await channel.ask() == "again")
                #expect(server.connectionCount == 2)
            }
        }
    }

    @Test func whenItsStreamIdsHaveRunOutAConnectionEndsAndTheCallGoesOnElsewhere() async throws {
        try await RawServer.with {
            .answer("\($0.stream)")
        } _: { server, address async throws in
            try await RPCChannel.with(address) { channel async throws in
                let first = try await channel.source.next(NextAttempt(path: "/a/b", options: CallOptions())).connection
                guard case .direct(let attempt) = try await first.open("/a/b").kind else { return }
                attempt.finishSending()
                for _ in try await collect(ClientCall(kind: .direct(attempt)).responses) {}
                attempt.inbox.submit { $0.session.skipStreams(before: Int32.max) }
                #expect(try await channel.ask() == "\(Int32.max)")
                #expect(try await channel.ask() == "1")
                #expect(server.connectionCount == 2)
                // Nothing runs there: it is closed.
                #expect(await first.closed().message.contains("was drained"))
            }
        }
    }
}
