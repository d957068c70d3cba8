import Messages
import NIOCore
import RPC
import Services
import Testing

private struct Idle: ClassifierHandler, NodeHandler {
    func classify(_ request: ClassifyRequest, context: CallContext) async throws -> ClassifyResponse { .init() }
    func describe() -> NodeDescription { NodeDescription() }
}

/// Every method of every service that we have asks for a credential, and for its scope; health alone does not.
@Suite(.timeLimit(.minutes(5))) struct AccessTests {
    private static let openMethods: Set<String> = [
        "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/List", "/grpc.health.v1.Health/Watch",
    ]

    private static func services(_ health: HealthService) throws -> [any RPCService] {
        let seen = SeenPictures()
        let services: [any RPCService] = [
            health, DetectorService(seen), VisionService(seen), ClassifierService(Idle()), NodeService(Idle()),
        ]
        return services + (try Reflection.services(describing: services))
    }

    /// `printf %s right | sha256sum` and so on.
    private static let credentials = """
        token sha256:27042f4e6eca7d0b2a7ee4026df2ecfa51d3339e6d122aa099118ecd8563bad9 anna mesh,other
        token sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa bert other
        """

    private static func serving(
        _ body: (_ connection: RPCConnection, _ paths: [String]) async throws -> Void
    ) async throws {
        let health = HealthService()
        health.set(.serving)
        var rules = AccessRules()
        rules[.everything] = .scopes(["mesh"])
        let services = try services(health)
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0, services: services,
            interceptors: [AuthInterceptor(credentials: try Credentials(text: credentials), rules: rules)],
            group: OurServer.group, logger: OurServer.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            defer { tasks.cancelAll() }
            var configuration = ClientConfiguration()
            configuration.connectTimeout = .seconds(30)
            let connection = try await RPCConnection.connect(
                to: server.address, configuration: configuration, group: OurServer.group, logger: OurServer.logger)
            defer { connection.close() }
            try await body(
                connection, services.flatMap { service in service.methods.keys.map { "/\(service.serviceName)/\($0)" } }
            )
        }
    }

    /// How the call ends: its code, OK if it succeeds.
    private static func code(_ connection: RPCConnection, _ path: String, token: String?) async throws -> StatusCode {
        var options = CallOptions()
        options.deadline = .after(.seconds(60))
        if let token { options.metadata.add("authorization", "Bearer \(token)") }
        do {
            // Also of a streaming method this is a good call: one message, then the end.
            _ = try await connection.unary(path, Payload(ByteBuffer()), options: options)
            return .ok
        } catch let error as RPCError {
            return error.code
        }
    }

    @Test func everyMethodIsGuarded() async throws {
        try await Self.serving { connection, paths in
            let guarded = paths.filter { !Self.openMethods.contains($0) }
            #expect(guarded.count == 11)
            for path in guarded + ["/framemesh.v1.Detector/No", "/no.Such/Method"] {
                for (token, expected) in [
                    (nil, StatusCode.unauthenticated), ("wrong", .unauthenticated), ("other", .permissionDenied),
                ] {
                    let code = try await Self.code(connection, path, token: token)
                    #expect(code == expected, "\(path) with \(token ?? "no token")")
                }
                let code = try await Self.code(connection, path, token: "right")
                #expect(code != .unauthenticated && code != .permissionDenied, "\(path)")
            }
        }
    }

    @Test func healthIsOpen() async throws {
        try await Self.serving { connection, paths in
            #expect(Self.openMethods.isSubset(of: paths))
            let status = try await connection.checkHealth()
            #expect(status == .serving)
            let listed = try await connection.listHealth()
            #expect(listed == ["": .serving])
            let watch = try await connection.watchHealth(of: "")
            var statuses = watch.statuses.makeAsyncIterator()
            let first = try await statuses.next()
            #expect(first == .serving)
            watch.cancel()
        }
    }
}
