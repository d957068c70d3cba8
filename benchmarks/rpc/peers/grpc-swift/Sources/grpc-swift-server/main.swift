import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOPosix

/// `grpc-swift-server PORT [coalesce]`: windows and frames as large as help it; flushes coalesced only if asked,
/// because that trades latency for throughput.
guard CommandLine.arguments.count >= 2, let port = Int(CommandLine.arguments[1]) else {
    fatalError("usage: grpc-swift-server PORT [coalesce]")
}
let coalesces = CommandLine.arguments.dropFirst(2).contains("coalesce")

let server = GRPCServer(
    transport: .http2NIOPosix(
        address: .ipv4(host: "127.0.0.1", port: port),
        transportSecurity: .plaintext,
        config: .defaults { config in
            config.http2.targetWindowSize = 16 << 20
            config.http2.maxFrameSize = 1 << 20
            config.rpc.maxRequestPayloadSize = 64 << 20
            if !coalesces { config.connection.flushCoalescing = nil }
        },
        eventLoopGroup: MultiThreadedEventLoopGroup(numberOfThreads: 1)),
    services: [BenchService()])
try await withThrowingDiscardingTaskGroup { group in
    group.addTask { try await server.serve() }
    if try await server.listeningAddress != nil { print("listening on \(port)") }
}
