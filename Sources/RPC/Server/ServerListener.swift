import Logging
import NIOCore
import NIOPosix

/// Makes the socket that a server listens on. The connections that come are spread on the loops of `group` in turn.
struct ServerListener {
    /// Connections that may wait to be accepted.
    private static let backlog: Int32 = 1024
    private static let outputWaterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)

    let group: any EventLoopGroup
    /// Of TCP; nil: the kernel's default.
    let congestionControl: String?
    let logger: Logger
    /// Called for each connection, on its loop.
    let accept: @Sendable (any Channel) throws -> Void

    /// It accepts nobody before it is told to read.
    /// - Parameter sendTimeout: how long sent bytes may stay unacknowledged before the kernel gives the peer up.
    func listen(_ address: ServerAddress, sendTimeout: Duration?) async throws -> (any Channel, SocketFile?) {
        var bootstrap = makeBootstrap(congestionControl)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        if let sendTimeout {
            bootstrap = bootstrap.childChannelOption(.userTimeout, value: .milliseconds(of: sendTimeout))
        }
        switch address {
        case .host(let name, let port): return (try await bootstrap.bind(host: name, port: port).get(), nil)
        case .socket(let address): return (try await bootstrap.bind(to: address).get(), nil)
        }
    }

    func listen(unixSocket path: String, mode: UInt32) async throws -> (any Channel, SocketFile?) {
        let (file, descriptor) = try await SocketFile.listen(path, mode: mode, backlog: Self.backlog)
        do {
            return (try await makeBootstrap(nil).withBoundSocket(descriptor).get(), file)
        } catch {
            file.remove()
            throw error
        }
    }

    private func makeBootstrap(_ congestionControl: String?) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { [logger] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause(logger: logger))
                }.flatMap { CongestionControl.set(congestionControl, on: channel) }
            }
            .childChannelOption(.writeBufferWaterMark, value: Self.outputWaterMark)
            .childChannelInitializer { [accept] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel) }
            }
    }
}

extension ChannelOption where Self == ChannelOptions.Types.SocketOption {
    /// TCP_USER_TIMEOUT of Linux (RFC 5482), in milliseconds: gRPC proposal A18.
    static var userTimeout: Self { .tcpOption(.init(rawValue: 18)) }
}

extension SocketOptionValue {
    static func milliseconds(of duration: Duration) -> SocketOptionValue {
        SocketOptionValue(clamping: TimeAmount(duration).nanoseconds / 1_000_000)
    }
}
