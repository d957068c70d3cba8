import NIOCore
import Testing

@testable import RPC

extension RPCChannel {
    /// Runs `body` with a channel to `address`.
    static func with(
        _ address: String, _ policy: AttemptPolicy = .once, endpoint: EndpointConfiguration = .quick,
        throttle: RetryThrottle? = nil, configure: (inout RPCChannelConfiguration) -> Void = { _ in },
        _ body: (RPCChannel) async throws -> Void
    ) async throws {
        var configuration = RPCChannelConfiguration()
        configuration.service = ServiceConfig(defaults: MethodConfig(attempts: policy), throttle: throttle)
        configure(&configuration)
        let channel = try RPCChannel(
            to: address, endpoint: endpoint, configuration: configuration, budget: MemoryBudget(limit: 256 << 20),
            group: Loopback.group, logger: Loopback.logger)
        defer { channel.close() }
        try await body(channel)
    }

    /// Serves the stream `/test.Service/Stream`, whose handler gets the number of its call, and runs `body` with a channel
    /// to it.
    static func serving(
        _ policy: AttemptPolicy, replayBytes: Int = 256 << 10,
        _ handler: @escaping @Sendable (Int, MessageStream, ResponseWriter) async throws -> Void,
        _ body: (RPCChannel, Counter) async throws -> Void
    ) async throws {
        let calls = Counter()
        let stream = RPCHandler.stream { _, requests, responses in
            calls.add()
            try await handler(calls.value, requests, responses)
        }
        try await Loopback.serving(["Stream": stream]) { server in
            try await with(
                "127.0.0.1:\(server.address.port ?? 0)", policy, configure: { $0.maxReplayBytes = replayBytes }
            ) { channel async throws in
                try await body(channel, calls)
            }
        }
    }

    func ask(
        _ method: String = "Ask", _ text: String = "", deadline: Deadline? = .after(.seconds(60)),
        waitForReady: Bool? = nil
    ) async throws -> String {
        var options = CallOptions(deadline: deadline)
        options.waitForReady = waitForReady
        return try await unary("/test.Service/\(method)", Payload(text), options: options).payload.text
    }
}

/// Tells when an attempt of a call without a deadline has failed.
struct WatchedSource: ConnectionSource {
    let endpoint: SingleEndpoint
    let failed = Signal()
    var delay: Duration?

    /// Runs `body` with a channel to a server where each attempt fails; the next one is far away.
    /// - Parameter hedgeDelay: after which a unary call may have a second attempt; nil: never.
    static func failing(
        hedgeDelay: Duration? = nil, _ body: (RPCChannel, Signal, RawServer) async throws -> Void
    ) async throws {
        try await RawServer.with { _ in
            .status(.unavailable)
        } _: { server, address async throws in
            let endpoint = SingleEndpoint(
                try ServerAddress(parsing: address), .quick, budget: MemoryBudget(limit: 1 << 20),
                group: Loopback.group, logger: Loopback.logger)
            let source = WatchedSource(endpoint: endpoint, delay: hedgeDelay)
            var policy = RetryPolicy.endless
            policy.failover = FailoverPolicy()
            var configuration = RPCChannelConfiguration()
            configuration.service.defaults.attempts = .retry(policy)
            let channel = RPCChannel(source, configuration: configuration)
            defer { channel.close() }
            try await body(channel, source.failed, server)
            #expect(server.calls.count == 1)
        }
    }

    func next(_ attempt: NextAttempt) async throws -> SuppliedConnection {
        try await endpoint.next(attempt)
    }

    func hedgeDelay(of path: String) -> Duration? { delay }

    /// Asked when an attempt has failed, to decide about the next one.
    func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool {
        failed.fire()
        return false
    }

    func finished(_ supplied: SuppliedConnection, _ outcome: AttemptOutcome) { endpoint.finished(supplied, outcome) }
    func drain() { endpoint.drain() }
    func close() { endpoint.close() }
}

extension EndpointConfiguration {
    /// Connects on a busy machine too, and waits little between attempts.
    static var quick: EndpointConfiguration {
        var configuration = EndpointConfiguration()
        configuration.client = .patient
        configuration.backoff = Backoff(initial: .milliseconds(5), longest: .milliseconds(20))
        return configuration
    }
}

extension RetryPolicy {
    /// Waits next to nothing between attempts.
    static func quick(
        _ maxAttempts: Int = 4, _ statusCodes: Set<StatusCode> = [.unavailable], failover: FailoverPolicy? = nil
    ) -> RetryPolicy {
        RetryPolicy(
            maxAttempts: maxAttempts, backoff: Backoff(initial: .milliseconds(1), longest: .milliseconds(2)),
            statusCodes: statusCodes, failover: failover)
    }

    /// Waits so long that no test sees the end of it.
    static var endless: RetryPolicy {
        RetryPolicy(backoff: Backoff(initial: .seconds(10_000), longest: .seconds(10_000)))
    }
}
