import Logging
import NIOCore
import NIOPosix
import RPC
import Traces

/// A server with one service.
struct TestServer {
    static let group = MultiThreadedEventLoopGroup.singleton
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    struct Service: RPCService {
        var serviceName: String
        var methods: [String: RPCHandler]
    }

    /// Serves while `body` runs, which gets HOST:PORT.
    static func with(
        of name: String = "test.Service", _ methods: [String: RPCHandler],
        interceptors: [any ServerInterceptor] = [], _ body: (String) async throws -> Void
    ) async throws {
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0, configuration: ServerConfiguration(),
            services: [Service(serviceName: name, methods: methods)], interceptors: interceptors,
            budget: MemoryBudget(limit: 64 << 20), group: group, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body("127.0.0.1:\(server.address.port ?? 0)")) } catch {
                outcome = .failure(error)
            }
            tasks.cancelAll()
            try await tasks.waitForAll()
            try outcome.get()
        }
    }

    static func channel(
        to address: String, _ tracer: MeshTracer?, attempts: AttemptPolicy = .once
    ) throws -> RPCChannel {
        var configuration = RPCChannelConfiguration()
        configuration.service = ServiceConfig(defaults: MethodConfig(attempts: attempts))
        if let tracer { configuration.interceptors = [ClientTraces(tracer)] }
        return try RPCChannel(to: address, configuration: configuration, group: group, logger: logger)
    }
}
