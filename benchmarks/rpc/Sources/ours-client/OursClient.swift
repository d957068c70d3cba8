import Foundation
import Logging
import NIOCore
import NIOPosix
import RPC

/// Loads a server with unary calls of one kind and prints one line of JSON: what came through, how long it took, and
/// what it cost this process.
@main
struct OursClient {
    static func main() async throws {
        let options = Options(CommandLine.arguments.dropFirst())
        let group = MultiThreadedEventLoopGroup(numberOfThreads: options.threads)
        var connections: [RPCConnection] = []
        for _ in 0..<options.connections { connections.append(try await connect(options, group)) }
        let load = Load(options, connections)
        if options.warmUp > 0 { _ = await load.run(seconds: options.warmUp, count: nil) }

        let probe = options.probe > 0 ? Task { await load.probe() } : nil
        let before = CPUTime.now
        let result = await load.run(seconds: options.seconds, count: options.count)
        let cpu = CPUTime.now - before
        probe?.cancel()
        print(Report(options: options, result: result, cpu: cpu, probe: await probe?.value).json)
        for connection in connections { connection.close() }
        try await group.shutdownGracefully()
    }

    /// The peer announces attachments with its first answer.
    private static func connect(_ options: Options, _ group: any EventLoopGroup) async throws -> RPCConnection {
        var configuration = ClientConfiguration()
        configuration.maxPendingCalls = max(configuration.maxPendingCalls, options.outstanding)
        configuration.congestionControl = options.congestion
        let address = try SocketAddress.makeAddressResolvingHost(options.host, port: options.port)
        let connection = try await RPCConnection.connect(
            to: address, configuration: configuration, group: group, logger: Logger(label: "ours-client"))
        _ = try await connection.unary(options.path, Payload(ByteBuffer(repeating: 0, count: 1)))
        return connection
    }
}
