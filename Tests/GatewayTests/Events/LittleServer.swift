import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import Telemetry

@testable import Gateway

/// A real HTTP server of this process, for one test; its connections are those of a gateway.
struct LittleServer {
    let address: SocketAddress

    var base: String { "http://127.0.0.1:\(address.port!)" }

    /// Runs `body` while it serves `routes`.
    static func with<Value: Sendable>(
        _ routes: (Router<GatewayContext>) -> Void, _ body: (LittleServer) async throws -> Value
    ) async throws -> Value {
        let router = Router(context: GatewayContext.self)
        routes(router)
        let (bound, announce) = AsyncStream<SocketAddress>.makeStream()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let application = Application(
            router: router,
            server: HTTPServerBuilder { responder in
                GatewayChannel(
                    responder: responder, limits: ConnectionLimits(), connections: ConnectionCount(ConnectionLimits()),
                    tls: nil, metrics: GatewayMetrics(PrometheusMetrics()))
            },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in if let address = channel.localAddress { announce.yield(address) } },
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await application.run() }
            defer { tasks.cancelAll() }
            for await address in bound { return try await body(LittleServer(address: address)) }
            throw CancellationError()
        }
    }
}
