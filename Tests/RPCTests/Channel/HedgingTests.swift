import HTTP2
import Synchronization
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(3))) struct HedgingTests {
    private static let never = Duration.seconds(10_000)

    @Test func aSlowAttemptIsOvertakenAndCancelled() async throws {
        try await RawServer.with {
            $0.number == 1 ? .silence : .answer("second")
        } _: { server, address async throws in
            let policy = HedgingPolicy(maxAttempts: 3, delay: .milliseconds(20))
            try await RPCChannel.with(address, .hedge(policy)) { channel async throws in
                let response = try await channel.call("/a/b", Payload("x"))
                #expect(response.response.payload.text == "second")
                #expect(response.retries >= 1)
                await server.sawResets(1)
                #expect(server.calls.contains { $0["grpc-previous-rpc-attempts"] == "1" })
            }
        }
    }

    private final class Kinds: AttemptInterceptor {
        private let kinds = Mutex<[OutgoingAttempt.Kind]>([])
        var seen: [OutgoingAttempt.Kind] { kinds.withLock { $0 } }

        func begin(_ attempt: inout OutgoingAttempt) -> AttemptEnd? {
            let kind = attempt.kind
            kinds.withLock { $0.append(kind) }
            return nil
        }
    }

    @Test func anAttemptBesideASlowOneIsAHedgeAndOneAfterAFailureARetry() async throws {
        let (slow, failing) = (Kinds(), Kinds())
        try await RawServer.with {
            $0.number == 1 ? .silence : .answer("second")
        } _: { server, address async throws in
            let policy = HedgingPolicy(maxAttempts: 3, delay: .milliseconds(20))
            try await RPCChannel.with(address, .hedge(policy), configure: { $0.interceptors = [slow] }) {
                channel async throws in
                #expect(try await channel.ask() == "second")
            }
        }
        // Where it takes longer to connect than until the hedge, either may be the first that has a connection.
        #expect(slow.seen.count > 1)
        #expect(slow.seen.filter { $0 != .hedge } == [.first])
        try await RawServer.with {
            $0.number == 1 ? .status(.unavailable) : .answer("second")
        } _: { server, address async throws in
            let policy = HedgingPolicy(delay: Self.never)
            try await RPCChannel.with(address, .hedge(policy), configure: { $0.interceptors = [failing] }) {
                channel async throws in
                #expect(try await channel.ask() == "second")
            }
        }
        #expect(failing.seen == [.first, .retry])
    }

    @Test func aFastAnswerNeedsNoHedge() async throws {
        try await RawServer.with {
            .answer("\($0.number)")
        } _: { server, address async throws in
            try await RPCChannel.with(address, .hedge(HedgingPolicy(delay: Self.never))) { channel async throws in
                for number in 1...20 { #expect(try await channel.ask() == "\(number)") }
                #expect(server.calls.count == 20)
            }
        }
    }

    @Test func aNonFatalErrorDoesNotWaitForTheDelay() async throws {
        try await RawServer.with {
            $0.number == 1 ? .status(.unavailable) : .answer("second")
        } _: {
            server, address async throws in
            try await RPCChannel.with(address, .hedge(HedgingPolicy(delay: Self.never))) { channel async throws in
                #expect(try await channel.ask() == "second")
                #expect(server.calls.count == 2)
            }
        }
    }

    @Test func aFatalErrorEndsAllAttempts() async throws {
        try await RawServer.with {
            $0.number < 3 ? .silence : .status(.invalidArgument)
        } _: {
            server, address async throws in
            let policy = HedgingPolicy(maxAttempts: 3, delay: .milliseconds(5))
            try await RPCChannel.with(address, .hedge(policy)) { channel async throws in
                #expect(await failure { _ = try await channel.ask() }?.code == .invalidArgument)
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
                #expect(await failure { _ = try await channel.ask() }?.code == .unavailable)
                #expect(server.calls.count == 3)
            }
        }
    }

    @Test func drainingEndsTheWaitForTheNextAttempt() async throws {
        try await RawServer.with { _ in
            .status(.unavailable, [HeaderField("grpc-retry-pushback-ms", "10000000")])
        } _: { server, address async throws in
            try await RPCChannel.with(address, .hedge(HedgingPolicy(delay: Self.never))) { channel async throws in
                async let end = failure { _ = try await channel.ask(deadline: nil) }
                while channel.state.pauses.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
                channel.drain()
                #expect(await end?.code == .unavailable)
                #expect(server.calls.count == 1)
            }
        }
    }

    @Test func aServerMayForbidMoreHedges() async throws {
        try await RawServer.with { _ in
            .status(.unavailable, [HeaderField("grpc-retry-pushback-ms", "-1")])
        } _: { server, address async throws in
            let policy = HedgingPolicy(maxAttempts: 5, delay: Self.never)
            try await RPCChannel.with(address, .hedge(policy)) { channel async throws in
                #expect(await failure { _ = try await channel.ask() }?.code == .unavailable)
                #expect(server.calls.count == 1)
            }
        }
    }

    @Test func theDeadlineEndsAllAttempts() async throws {
        try await RawServer.with { _ in
            .silence
        } _: { server, address async throws in
            let policy = HedgingPolicy(maxAttempts: 3, delay: .zero)
            try await RPCChannel.with(address, .hedge(policy)) { channel async throws in
                let error = await failure { _ = try await channel.ask(deadline: .after(.seconds(1))) }
                #expect(error?.code == .deadlineExceeded)
                await server.sawResets(server.calls.count)
            }
        }
    }

    @Test func cancellingTheCallCancelsAllAttempts() async throws {
        let all = Signal()
        try await RawServer.with { call in
            if call.number == 3 { all.fire() }
            return .silence
        } _: { server, address async throws in
            let policy = HedgingPolicy(maxAttempts: 3, delay: .milliseconds(1))
            try await RPCChannel.with(address, .hedge(policy)) { channel async throws in
                let call = Task { await failure { _ = try await channel.ask(deadline: nil) } }
                await all.wait()
                call.cancel()
                #expect(await call.value?.code == .cancelled)
                await server.sawResets(3)
                #expect(server.calls.count == 3)
            }
        }
    }
}
