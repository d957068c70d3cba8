import Logging
import NIOCore

/// Of a listening channel: when accepting fails, for example for want of descriptors, nobody is accepted for a while.
/// Without it the loop would spin: the connection that cannot be accepted goes on being ready. (`AcceptBackoffHandler`
/// holds back reads that are asked for, and this one is still under way.)
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let duration = TimeAmount.milliseconds(100)

    private let logger: Logger
    private var end: Scheduled<Void>?

    init(logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError, end == nil, let options = context.channel.syncOptions else {
            return context.fireErrorCaught(error)
        }
        logger.warning("cannot accept connections", metadata: ["reason": "\(SystemError.text(error))"])
        // Fails on a channel that is closed, which accepts nobody anyway.
        try? options.setOption(.autoRead, value: false)
        end = context.eventLoop.assumeIsolated().scheduleTask(in: Self.duration) { [self] in
            end = nil
            try? options.setOption(.autoRead, value: true)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end?.cancel()
        context.fireChannelInactive()
    }
}
