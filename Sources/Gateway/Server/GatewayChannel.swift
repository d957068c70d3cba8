import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOSSL
import RPC

/// One HTTP/1.1 connection: counted, over TLS where there is a certificate, watched, and then Hummingbird's.
struct GatewayChannel: ServerChildChannel {
    private let http: HTTP1Channel
    private let limits: ConnectionLimits
    private let connections: ConnectionCount
    private let tls: TLSContextStore?
    private let metrics: GatewayMetrics

    init(
        responder: @escaping HTTPChannelHandler.Responder, limits: ConnectionLimits, connections: ConnectionCount,
        tls: TLSContextStore?, metrics: GatewayMetrics
    ) {
        self.limits = limits
        self.tls = tls
        self.metrics = metrics
        self.connections = connections
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [RequestEnds()],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.maxHeaderBytes, maxHeaderListSize: limits.maxHeaderBytes,
                    maxHeaderFieldCount: limits.maxHeaderFields)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let address = AddressBlock(channel.remoteAddress)
        let ready: EventLoopFuture<HTTP1Channel.Value>
        if let limit = connections.add(address) {
            logger.debug("connection refused", metadata: ["limit": "\(limit)"])
            metrics.refused(by: limit)
            ready = channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        } else {
            channel.closeFuture.whenComplete { [connections] _ in connections.remove(address) }
            ready = channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls.context)) }
                try pipeline.addHandler(ConnectionWatcher(limits, metrics: metrics, logger: logger))
            }.flatMap { [http] in http.setup(channel: channel, logger: logger) }
        }
        // Nobody else closes what could not be set up.
        ready.whenFailure { _ in channel.close(promise: nil) }
        return ready
    }

    /// On the loop of the connection, where all comes that its requests wait for. Pictures and answers that go on are made
    /// elsewhere (`NIOThreadPool`, `ResponseBody.computed`).
    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
            await http.handle(value: value, logger: logger)
        }
    }
}
