import Logging
import NIOCore
import NIOPosix
import RPC
import Services

/// Our server on a free port, with everything that python/client.py asks for.
struct OurServer {
    static let group = MultiThreadedEventLoopGroup.singleton
    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }
    /// A plain message may be twice as large, since pixels may be its last field.
    static let maxMessageBytes = 4 << 20

    let server: RPCServer
    var port: Int { server.address.port ?? 0 }

    /// Runs `body`, then drains the server; a call that is left over is a failure of the test.
    static func with<Value: Sendable>(_ body: (OurServer) async throws -> Value) async throws -> Value {
        let health = HealthService()
        health.set(.serving)
        var limits = ServerConfiguration()
        limits.maxMessageBytes = maxMessageBytes
        limits.maxAttachmentBytes = maxMessageBytes
        limits.attachmentIdentity = "conformance"
        let seen = SeenPictures()
        let services: [any RPCService] = [
            InteropService(health: health), health, DetectorService(seen), VisionService(seen),
        ]
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0, configuration: limits,
            services: services + (try Reflection.services(describing: services)),
            budget: MemoryBudget(limit: 256 << 20), group: group, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            do {
                let value = try await body(OurServer(server: server))
                server.drain()
                try await tasks.waitForAll()
                return value
            } catch {
                tasks.cancelAll()
                throw error
            }
        }
    }
}
