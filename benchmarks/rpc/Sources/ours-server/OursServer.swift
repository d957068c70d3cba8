import Foundation
import Logging
import NIOCore
import NIOPosix
import RPC

/// Serves `/bench.Bench/Sync` and `/bench.Bench/Async` until it is ended; prints `listening on HOST:PORT` first.
@main
struct OursServer {
    static func main() async throws {
        let options = Options(CommandLine.arguments.dropFirst())
        var configuration = ServerConfiguration()
        configuration.maxMessageBytes = options.maxMessageBytes
        configuration.attachmentIdentity = "bench"
        if let bytes = options.connectionWindowBytes { configuration.connectionWindowBytes = bytes }
        configuration.congestionControl = options.congestion
        // All connections of a benchmark come from one address, and some want a thousand.
        configuration.maxConnectionsPerAddress = nil
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
        let health = HealthService()
        health.set(.serving)
        let server = try await RPCServer.bind(
            host: options.host, port: options.port, configuration: configuration, services: [BenchService(), health],
            interceptors: [CallCounter()], budget: MemoryBudget(limit: options.memoryBudget), group: group,
            logger: Logger(label: "ours-server"))
        // Unbuffered: whoever started this waits for the line, on a pipe.
        FileHandle.standardOutput.write(Data("listening on \(options.host):\(server.address.port ?? 0)\n".utf8))
        try await server.run()
        try await group.shutdownGracefully()
    }
}
