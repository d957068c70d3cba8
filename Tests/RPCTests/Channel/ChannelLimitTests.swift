import Metrics
import NIOCore
import TestSupport
import Testing

@testable import RPC

/// The limits of a channel have a line in its log, and so are counted.
@Suite(.timeLimit(.minutes(3))) struct ChannelLimitTests {
    private static func with(
        _ address: String, _ attempts: AttemptPolicy = .once, endpoint: EndpointConfiguration = .quick,
        configure: (inout RPCChannelConfiguration) -> Void = { _ in },
        _ body: (RPCChannel, LogRecorder) async throws -> Void
    ) async throws {
        let recorder = LogRecorder()
        var configuration = RPCChannelConfiguration()
        configuration.service.defaults.attempts = attempts
        configure(&configuration)
        let channel = try RPCChannel(
            to: address, endpoint: endpoint, configuration: configuration, budget: MemoryBudget(limit: 1 << 20),
            group: Loopback.group, logger: recorder.logger)
        defer { channel.close() }
        try await body(channel, recorder)
    }

    private func reasons(_ recorder: LogRecorder) -> [String] { recorder.lines.compactMap { $0.metadata["reason"] } }

    @Test func oneWaitingCallTooMany() async throws {
        var endpoint = EndpointConfiguration.quick
        endpoint.maxWaitingCalls = 0
        try await Self.with("unix:/nobody/here", endpoint: endpoint) { channel, recorder async throws in
            let error = await failure { _ = try await channel.ask() }
            #expect(error?.code == .resourceExhausted)
            #expect(reasons(recorder) == ["waiting_calls"])
            #expect(recorder.lines.last?.metadata["peer"] == "unix:/nobody/here")
        }
    }

    @Test func moreThanIsKeptForAnotherAttempt() async throws {
        try await RawServer.with { _ in
            .silence
        } _: { _, address async throws in
            try await Self.with(address, configure: { $0.maxReplayBytes = 100 }) { channel, recorder async throws in
                let call = try await channel.open("/a/b")
                for _ in 0..<3 { try await call.send(Payload(String(repeating: "x", count: 100))) }
                #expect(reasons(recorder) == ["replay_bytes"])
                call.cancel()
            }
        }
    }

    @Test(arguments: [
        AttemptPolicy.retry(.quick()), .hedge(HedgingPolicy(maxAttempts: 3, delay: .seconds(1000))),
    ])
    func aBudgetThatIsUsedUp(_ policy: AttemptPolicy) async throws {
        try await RawServer.with { _ in
            .status(.unavailable)
        } _: { _, address async throws in
            try await Self.with(
                address, policy, configure: { $0.service.throttle = RetryThrottle(maxTokens: 2) }
            ) { channel, recorder async throws in
                _ = await failure { _ = try await channel.ask() }
                #expect(reasons(recorder) == ["retry_budget"])
            }
        }
    }

    @Test func attemptsThatAreNeverSent() {
        var state = RetryState(policy: nil, maxAttempts: 5, maxUnsent: 3, deadline: nil)
        var random = SystemRandomNumberGenerator()
        let failure = RetryState.Failure(error: RPCError(.unavailable, "", neverStarted: true))
        for _ in 0..<3 {
            let decision = state.failed(failure, throttle: nil, now: .now(), using: &random)
            #expect(decision == .retry(after: .zero))
            #expect(state.limit == nil)
        }
        let decision = state.failed(failure, throttle: nil, now: .now(), using: &random)
        #expect(decision == .fail)
        #expect(state.limit == .unsentAttempts)
    }
}
