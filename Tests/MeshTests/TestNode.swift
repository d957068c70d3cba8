import Logging
import NIOCore
import NIOPosix
import RPC
import Synchronization

@testable import Mesh

/// A server on a port of this process; what it answers is the test's.
final class TestNode: Sendable {
    static let group = MultiThreadedEventLoopGroup.singleton
    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private struct Service: RPCService {
        let body: @Sendable (CallContext) async throws -> String
        var serviceName: String { "test.Node" }
        var methods: [String: RPCHandler] {
            [
                "Ask": .unary { context, _ in UnaryResponse(Payload(ByteBuffer(string: try await body(context)))) },
                "Fill": .unary { _, request in
                    UnaryResponse(
                        Payload(ByteBuffer(repeating: 1, count: request.message.getInteger(at: 0, as: Int.self) ?? 0)))
                },
                "Watch": .stream { context, _, responses in
                    try await responses.write(Payload(ByteBuffer(string: try await body(context))))
                },
                "Chat": .stream { _, requests, responses in
                    for try await request in requests { try await responses.write(request) }
                },
            ]
        }
    }

    let server: RPCServer
    let health: HealthService
    private let running: Task<Void, any Error>

    var address: SocketAddress { server.address }
    var name: String { address.endpointName }
    /// Calls of Ask and Watch.
    var calls: Int { counter.count }
    private let counter: Counter

    final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func add() { value.withLock { $0 += 1 } }
    }

    private init(
        port: Int, hasHealth: Bool, otherHealth: (any RPCService)?, configuration: ServerConfiguration,
        _ body: @escaping @Sendable (CallContext) async throws -> String
    ) async throws {
        let counter = Counter()
        self.counter = counter
        health = HealthService()
        health.set(.serving)
        let service = Service { context in
            counter.add()
            return try await body(context)
        }
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: port, configuration: configuration,
            services: [service] + (otherHealth.map { [$0] } ?? (hasHealth ? [health] : [])),
            group: Self.group, logger: Self.logger)
        self.server = server
        // Ended by `kill` or `finish`, at the latest at the end of the test.
        running = Task { try await server.run() }
    }

    /// Runs `body`, then ends every node that it started.
    static func with<Value>(_ body: (Starter) async throws -> Value) async throws -> Value {
        let starter = Starter()
        do {
            let value = try await body(starter)
            await starter.endAll()
            return value
        } catch {
            await starter.endAll()
            throw error
        }
    }

    final class Starter: Sendable {
        private let nodes = Mutex<[TestNode]>([])

        func start(
            port: Int = 0, hasHealth: Bool = true, otherHealth: (any RPCService)? = nil, drainTimeout: Duration = .zero,
            tls: ServerTLS? = nil,
            _ body: @escaping @Sendable (CallContext) async throws -> String = { _ in "" }
        ) async throws -> TestNode {
            var configuration = ServerConfiguration.cluster
            configuration.drainTimeout = drainTimeout
            configuration.tls = tls
            let end = ContinuousClock.now + .seconds(30)
            while true {
                do {
                    let node = try await TestNode(
                        port: port, hasHealth: hasHealth, otherHealth: otherHealth, configuration: configuration, body)
                    nodes.withLock { $0.append(node) }
                    return node
                } catch  where port != 0 && ContinuousClock.now < end {
                    // Another test's connection may just have got this port.
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }

        func endAll() async { for node in nodes.withLock({ $0 }) { await node.kill() } }
    }

    /// Its calls are cut after its drain timeout.
    func kill() async {
        running.cancel()
        _ = try? await running.value
    }

    /// The same, begun from within one of its calls.
    func die() { running.cancel() }

    func drain() { server.drain() }

    func ended() async throws { try await running.value }
}

extension BalancedChannel {
    /// Runs a channel to `addresses` beside `body`.
    static func with<Value>(
        _ script: Script, healthService: String = "", configure: (inout ChannelConfiguration) -> Void = { _ in },
        _ body: (BalancedChannel) async throws -> Value
    ) async throws -> Value {
        var configuration = ChannelConfiguration()
        configuration.readyTimeout = .seconds(40)
        configuration.client.connectTimeout = .seconds(30)
        configuration.backoff.initial = .milliseconds(5)
        configuration.backoff.longest = .milliseconds(20)
        configuration.resolveInterval = .milliseconds(10)
        configuration.resolvePause = .milliseconds(5)
        configure(&configuration)
        let channel = BalancedChannel(
            Resolver(target: try Target(parsing: Script.target), service: script, keep: configuration.resolveKeep),
            healthService: healthService,
            configuration: configuration, group: TestNode.group, logger: TestNode.logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await channel.run() }
            let value = try await body(channel)
            tasks.cancelAll()
            return value
        }
    }

    static func with<Value>(
        _ nodes: [TestNode], configure: (inout ChannelConfiguration) -> Void = { _ in },
        _ body: (BalancedChannel) async throws -> Value
    ) async throws -> Value {
        let script = Script()
        script.set(nodes.map(\.address))
        return try await with(script, configure: configure) { channel in
            try await channel.until { $0.count == nodes.count && $0.allSatisfy { $0.state == .ready } }
            return try await body(channel)
        }
    }

    /// Waits until the endpoints are as `condition` says.
    func until(_ condition: ([EndpointState]) -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while !condition(endpoints()) {
            guard ContinuousClock.now < end else { throw MeshError("it stays at \(endpoints())") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func ask(deadline: Deadline? = .after(.seconds(20))) async throws -> (answer: String, retries: Int) {
        let response = try await call("/test.Node/Ask", Payload(ByteBuffer()), options: .init(deadline: deadline))
        return (String(buffer: response.response.payload.message), response.retries)
    }
}

/// A door that is shut until the test opens it.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    init() { (stream, continuation) = AsyncStream.makeStream() }
    func open() { continuation.finish() }
    /// Throws when the task is cancelled.
    func wait() async throws {
        for await _ in stream {}
        try Task.checkCancellation()
    }
}

extension CallOptions {
    /// Waits for ready, without a deadline.
    static var patient: CallOptions {
        var options = CallOptions()
        options.waitForReady = true
        return options
    }
}

/// The `RPCError` that `body` throws.
func failure(_ body: () async throws -> Void) async -> RPCError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? RPCError
    }
}
