import NIOCore
import NIOPosix
import Synchronization
import TestSupport

/// A peer that writes what it likes, and hears all that comes until the end.
final class RawPeer: Sendable {
    private let channel: any Channel
    private let heard: Heard

    /// Takes what comes.
    private final class Heard: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let text = Mutex("")

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            text.withLock { $0 += String(decoding: bytes.readableBytesView, as: UTF8.self) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private init(_ channel: any Channel, _ heard: Heard) {
        self.channel = channel
        self.heard = heard
    }

    static func connect(to address: SocketAddress, receives: Bool = true) async throws -> RawPeer {
        let heard = Heard()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: receives)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(heard) }
            }
            .connect(to: address).get()
        return RawPeer(channel, heard)
    }

    /// Whether it could be sent: the other end may have gone.
    @discardableResult
    func send(_ text: String) async -> Bool { await send(ByteBuffer(string: text)) }

    @discardableResult
    func send(_ bytes: ByteBuffer) async -> Bool { (try? await channel.writeAndFlush(bytes).get()) != nil }

    var text: String { heard.text.withLock { $0 } }
    var isOpen: Bool { channel.isActive }

    /// Waits until the other end has closed the connection.
    /// - Returns: all that it said.
    func untilClosed(within limit: Duration = .seconds(60)) async throws -> String {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [channel] in try await channel.closeFuture.get() }
            tasks.addTask {
                try await Task.sleep(for: limit)
                throw Failure("the connection is still open after \(limit)")
            }
            try await tasks.next()
            tasks.cancelAll()
        }
        return text
    }

    /// Waits until `needle` has come.
    func until(_ needle: String, within limit: Duration = .seconds(60)) async throws {
        let end = ContinuousClock.now + limit
        while !text.contains(needle) {
            guard ContinuousClock.now < end, isOpen || text.contains(needle) else {
                throw Failure("no '\(needle)' came, but '\(text.prefix(500))'")
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    func close() { channel.close(promise: nil) }
}
