import Logging
import NIOCore
import NIOPosix
import Testing

@testable import RPC

/// Methods under `test.Service`, given as a table.
struct TableService: RPCService {
    var serviceName = "test.Service"
    var methods: [String: RPCHandler]
}

/// A server and one connection to it, over a real socket.
struct Loopback {
    let server: RPCServer
    let connection: RPCConnection

    static let group = MultiThreadedEventLoopGroup.singleton
    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }

    /// Serves `methods` while `body` runs; the server has ended when this returns.
    static func with(
        _ methods: [String: RPCHandler] = [:], services: [any RPCService] = [],
        interceptors: [any ServerInterceptor] = [], server: ServerConfiguration = .init(),
        client: ClientConfiguration = .patient,
        serverBudget: MemoryBudget = MemoryBudget(limit: 256 << 20),
        clientBudget: MemoryBudget = MemoryBudget(limit: 256 << 20),
        _ body: (Loopback) async throws -> Void
    ) async throws {
        try await serving(
            methods, services: services, interceptors: interceptors, server: server, budget: serverBudget
        ) { running in
            let connection = try await RPCConnection.connect(
                to: running.address, configuration: client, budget: clientBudget, group: group, logger: logger)
            defer { connection.close() }
            try await body(Loopback(server: running, connection: connection))
        }
    }

    static func serving(
        _ methods: [String: RPCHandler], services: [any RPCService] = [],
        interceptors: [any ServerInterceptor] = [], server configuration: ServerConfiguration = .init(),
        budget: MemoryBudget = MemoryBudget(limit: 256 << 20),
        _ body: (RPCServer) async throws -> Void
    ) async throws {
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0, configuration: configuration,
            services: services + [TableService(methods: methods)], interceptors: interceptors, budget: budget,
            group: group,
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            do { try await body(server) } catch {
                tasks.cancelAll()
                throw error
            }
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
    }

    func unary(_ method: String, _ text: String = "", deadline: Deadline? = .after(.seconds(120))) async throws
        -> String
    {
        let response = try await connection.unary(path(method), Payload(text), options: .init(deadline: deadline))
        return String(buffer: response.payload.message)
    }

    func expect(
        _ expected: String, from method: String, _ text: String, location: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await unary(method, text)
        #expect(answer == expected, sourceLocation: location)
    }

    func path(_ method: String) -> String { "/test.Service/\(method)" }
}

extension Payload {
    init(_ text: String) { self.init(ByteBuffer(string: text)) }
    var text: String { String(buffer: message) }
}

extension ClientConfiguration {
    /// Connects on a busy machine too.
    static var patient: ClientConfiguration {
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .seconds(30)
        return configuration
    }
}

extension ServerConfiguration {
    /// Takes attachments, and ends at once.
    static var attaching: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.attachmentIdentity = "node-1"
        return configuration
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

func collect(_ stream: MessageStream) async throws -> [String] {
    var texts: [String] = []
    for try await payload in stream { texts.append(payload.text) }
    return texts
}
