import NIOCore
import NIOPosix

/// Makes the socket that a server listens on. The connections that come are spread on the loops of `group` in turn.
struct ServerListener {
    /// Connections that may wait to be accepted.
    private static let backlog: Int32 = 1024
    /// Bytes read from a socket at once: larger ones miss the cache, smaller ones cost more calls.
    private static let receiveBytes = 128 << 10
    private static let outputWaterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)

    let group: any EventLoopGroup
    /// Of TCP; nil: the kernel's default.
    let congestionControl: String?
    /// Called for each connection, on its loop.
    let accept: @Sendable (any Channel) throws -> Void

    /// It reads nothing, that is accepts nobody, before it is told to.
    func listen(host: String, port: Int) async throws -> any Channel {
        try await bootstrap
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { [congestionControl] in CongestionControl.set(congestionControl, on: $0) }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: host, port: port).get()
    }

    private var bootstrap: ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.autoRead, value: false)
            .childChannelOption(.recvAllocator, value: ReceiveAllocator(largeBytes: Self.receiveBytes))
            .childChannelOption(.writeBufferWaterMark, value: Self.outputWaterMark)
            .childChannelInitializer { [accept] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel) }
            }
    }
}
