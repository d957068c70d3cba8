import Logging
import NIOCore
import NIOPosix
import RPC

struct Greeter: RPCService {
    let serviceName = "hello.v1.Greeter"

    var methods: [String: RPCHandler] {
        [
            "Greet": .unary { _, request in
                let name = String(buffer: request.message)
                guard !name.isEmpty else { throw RPCError(.invalidArgument, "the name is empty") }
                return UnaryResponse(Payload(ByteBuffer(string: "Hello, \(name)")))
            }
        ]
    }

    static func serve(port: Int) async throws -> RPCServer {
        let logger = Logger(label: "greeter")
        let health = HealthService()
        health.set(.serving)
        return try await RPCServer.bind(
            host: "127.0.0.1", port: port, services: [Greeter(), health],
            interceptors: [LogInterceptor(logger: logger), MetricsInterceptor()],
            group: MultiThreadedEventLoopGroup.singleton, logger: logger)
    }
}
