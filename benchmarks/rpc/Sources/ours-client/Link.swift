import Logging
import NIOCore
import RPC

/// One connection, in a channel as services use it: with a policy of retries, their throttle, and an interceptor. With
/// `--bare` the connection alone.
struct Link: Sendable {
    let unary: @Sendable (String, Payload, CallOptions) async throws -> UnaryResponse
    let close: @Sendable () -> Void
    /// The event loop of a bare connection.
    let executor: (any TaskExecutor)?

    /// Connected once this returns: the peer announces attachments with its first answer.
    init(_ options: Options, _ group: any EventLoopGroup) async throws {
        var endpoint = EndpointConfiguration()
        endpoint.client.maxPendingCalls = max(endpoint.client.maxPendingCalls, options.outstanding)
        endpoint.client.congestionControl = options.congestion
        endpoint.maxWaitingCalls = max(endpoint.maxWaitingCalls, options.outstanding)
        let logger = Logger(label: "ours-client")
        if options.isBare {
            let address = try SocketAddress.makeAddressResolvingHost(options.host, port: options.port)
            let connection = try await RPCConnection.connect(
                to: address, configuration: endpoint.client, group: group, logger: logger)
            unary = { try await connection.unary($0, $1, options: $2) }
            close = { connection.close() }
            executor = connection.executor
        } else {
            var configuration = RPCChannelConfiguration()
            configuration.service.defaults.attempts = .retry(RetryPolicy())
            configuration.service.throttle = RetryThrottle()
            configuration.interceptors = [CallCounter()]
            let channel = try RPCChannel(
                to: "\(options.host):\(options.port)", endpoint: endpoint, configuration: configuration, group: group,
                logger: logger)
            unary = { try await channel.unary($0, $1, options: $2) }
            close = { channel.close() }
            executor = nil
        }
        _ = try await unary(options.path, Payload(ByteBuffer(repeating: 0, count: 1)), CallOptions())
    }
}
