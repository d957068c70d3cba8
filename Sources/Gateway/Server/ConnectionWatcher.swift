import Logging
import NIOCore

/// Stands where bytes come in, and closes the connection when `ConnectionWatch` says so.
final class ConnectionWatcher: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Shared with `RequestEnds`, on the same loop.
    var watch: ConnectionWatch
    private let interval: TimeAmount
    private let metrics: GatewayMetrics
    private let logger: Logger
    private var timer: Scheduled<Void>?

    init(_ limits: ConnectionLimits, metrics: GatewayMetrics, logger: Logger) {
        watch = ConnectionWatch(limits, now: .now())
        self.metrics = metrics
        self.logger = logger
        let shortest =
            [
                limits.headerTimeout, limits.idleTimeout, limits.uploadGrace, limits.outputTimeout,
                limits.lingerTimeout,
            ].min() ?? .seconds(1)
        // A wait is at most an eighth longer than its limit says.
        interval = TimeAmount(Swift.min(Swift.max(shortest / 8, .milliseconds(5)), .seconds(1)))
    }

    func handlerAdded(context: ChannelHandlerContext) { look(context) }

    private func look(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            guard let self else { return }
            watch.pending(pendingBytes(context), .now())
            if let ending = watch.overdue(.now()) { end(context, ending) } else { look(context) }
        }
    }

    /// Not yet handed to the operating system.
    private func pendingBytes(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func read(context: ChannelHandlerContext) {
        watch.reading(.now())
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        watch.received(unwrapInboundIn(data).readableBytes, .now())
        context.fireChannelRead(data)
        if let ending = watch.excess { end(context, ending) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watch.writable(context.channel.isWritable, .now())
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    private func end(_ context: ChannelHandlerContext, _ ending: ConnectionWatch.Ending) {
        timer?.cancel()
        if ending.isRefusal { metrics.refused(by: ending.rawValue) }
        logger.debug("connection ended", metadata: ["limit": "\(ending.rawValue)"])
        context.close(promise: nil)
    }
}
