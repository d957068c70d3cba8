import NIOCore
import NIOPosix

/// A port that answers HTTP, and stops in the middle of its answer; connections stay open.
public enum HalfAnAnswer {
    /// - Parameter pause: between the bytes that come after that, without end; nil: none comes.
    public static func with<Value>(
        pause: Duration? = nil, _ body: (_ port: Int) async throws -> Value
    ) async throws -> Value {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Half(pause)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { listener.close(promise: nil) }
        return try await body(listener.localAddress?.port ?? 0)
    }

    private final class Half: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let pause: Duration?

        init(_ pause: Duration?) { self.pause = pause }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let half = ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{")
            context.writeAndFlush(wrapOutboundOut(half), promise: nil)
            guard let pause else { return }
            let channel = context.channel
            let time = TimeAmount(pause)
            context.eventLoop.scheduleRepeatedTask(initialDelay: time, delay: time) { task in
                guard channel.isActive else { return task.cancel() }
                channel.writeAndFlush(ByteBuffer(string: " "), promise: nil)
            }
        }
    }
}
