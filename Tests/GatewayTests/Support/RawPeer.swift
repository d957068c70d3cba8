import Foundation
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
        /// What is looked at; of a long answer its beginning.
        static let kept = 4 << 20
        let state = Mutex((text: "", count: 0))

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            state.withLock { state in
                if state.count < Self.kept { state.text += String(decoding: bytes.readableBytesView, as: UTF8.self) }
                state.count += bytes.readableBytes
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private init(_ channel: any Channel, _ heard: Heard) {
        self.channel = channel
        self.heard = heard
    }

    /// - Parameters:
    ///   - receiveBuffer: of the socket, bytes; nil: the system's.
    ///   - segment: the most that one packet to us may hold, bytes, which bounds what the other end's system buffers for us;
    ///     nil: the system's.
    static func connect(
        to address: SocketAddress, receives: Bool = true, receiveBuffer: Int? = nil, segment: Int? = nil
    ) async throws -> RawPeer {
        let heard = Heard()
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: SocketOptionValue(receiveBuffer))
        }
        if let segment {
            bootstrap = bootstrap.channelOption(
                .tcpOption(NIOBSDSocket.Option(rawValue: CInt(TCP_MAXSEG))), value: SocketOptionValue(segment))
        }
        let channel =
            try await bootstrap
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

    var text: String { heard.state.withLock { $0.text } }
    /// Bytes that have come.
    var count: Int { heard.state.withLock { $0.count } }

    /// Takes a piece, where it does not receive by itself.
    func readOnce() { channel.read() }
    func receiveAll() { channel.setOption(.autoRead, value: true).whenComplete { _ in } }

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

    /// Says that it sends no more; it would still hear.
    func finish() { channel.close(mode: .output, promise: nil) }
}
