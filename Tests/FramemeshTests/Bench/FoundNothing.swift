import Logging
import Messages
import NIOPosix
import RPC
import Services
import Synchronization

/// A detection node that finds nothing.
final class FoundNothing: DetectorHandler, NodeHandler {
    private let state = Mutex(0)

    var asked: Int { state.withLock { $0 } }

    func detect(_ request: DetectRequest, context: CallContext) async throws -> DetectResponse {
        state.withLock { $0 += 1 }
        return DetectResponse()
    }

    func describe() -> NodeDescription {
        var description = NodeDescription()
        (description.role, description.build) = ("detector", "0.0.7")
        return description
    }

    /// Serves as long as `body` runs, which is told where.
    /// - Parameter port: 0: any free one.
    func serve<Value: Sendable>(
        on port: Int = 0, _ body: @Sendable (ServerAddress) async throws -> Value
    ) async throws -> Value {
        let health = HealthService()
        for name in ["", ServiceName.detector, ServiceName.node] { health.set(.serving, for: name) }
        var logger = Logger(label: "test")
        logger.logLevel = .error
        var configuration = ServerConfiguration.cluster
        configuration.drainTimeout = .zero
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: port, configuration: configuration,
            services: [DetectorService(self), NodeService(self), health], group: MultiThreadedEventLoopGroup.singleton,
            logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            let value = try await body(.socket(server.address))
            tasks.cancelAll()
            return value
        }
    }
}
