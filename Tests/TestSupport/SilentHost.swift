public import NIOCore
import NIOPosix
import Synchronization

/// A port that takes connections and passes on what comes to another one, until it falls silent as if its host had lost
/// power: from then on it keeps all connections, and says nothing.
public final class SilentHost: Sendable {
    private let isSilent = Atomic(false)

    public var address: SocketAddress {
        get throws { try listener.localAddress ?? { throw ChannelError.unknownLocalAddress }() }
    }
    private let listener: any Channel

    /// - Parameter target: nil: it is silent from the start.
    public static func with<Value>(
        before target: SocketAddress?, _ body: (SilentHost) async throws -> Value
    ) async throws -> Value {
        let host = try await SilentHost(before: target)
        defer { host.listener.close(promise: nil) }
        return try await body(host)
    }

    private init(before target: SocketAddress?) async throws {
        let accepted = Accepted()
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { accepted.took($0, for: target) }
            .bind(host: "127.0.0.1", port: 0).get()
        accepted.host.withLock { $0 = self }
    }

    public func fallSilent() { isSilent.store(true, ordering: .relaxed) }

    private final class Accepted: Sendable {
        let host = Mutex<SilentHost?>(nil)

        func took(_ near: any Channel, for target: SocketAddress?) -> EventLoopFuture<Void> {
            guard let target else { return near.eventLoop.makeSucceededVoidFuture() }
            return ClientBootstrap(group: near.eventLoop)
                .channelInitializer { far in
                    far.eventLoop.makeCompletedFuture {
                        try far.pipeline.syncOperations.addHandler(Relay(to: near, self))
                        try near.pipeline.syncOperations.addHandler(Relay(to: far, self))
                    }
                }
                .connect(to: target).map { _ in }
        }
    }

    private final class Relay: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let other: any Channel
        private let accepted: Accepted

        init(to other: any Channel, _ accepted: Accepted) {
            self.other = other
            self.accepted = accepted
        }

        private var isSilent: Bool {
            accepted.host.withLock { $0 }?.isSilent.load(ordering: .relaxed) ?? false
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if !isSilent { other.writeAndFlush(unwrapInboundIn(data), promise: nil) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if !isSilent { other.close(promise: nil) }
        }
    }
}
