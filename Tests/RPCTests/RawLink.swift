import HTTP2
import NIOCore
import NIOPosix

@testable import RPC

/// A client that speaks HTTP/2 as far as a test wants it to: it opens a call and may then stop sending or reading.
final class RawLink: HTTP2Delegate {
    private let session: Session
    private let fields: [HeaderField]
    private let body: ByteBuffer
    private let opened: EventLoopPromise<Void>
    private var answer: [String: String] = [:]
    private let answered: EventLoopPromise<[String: String]>
    private var hasOpened = false

    struct Call: Sendable {
        let channel: any Channel
        /// The header fields and trailers of the answer, once the stream is closed.
        let answer: EventLoopFuture<[String: String]>
    }

    /// Opens a call of `path` and sends `body`, without an end. Returns when that is on its way.
    /// - Parameter source: our address, such as 127.0.0.2, where the server is to see another client.
    static func open(
        _ address: SocketAddress, _ path: String, _ extra: [HeaderField] = [], body: ByteBuffer,
        settings: SessionSettings = .init(), from source: String? = nil
    ) async throws -> Call {
        var bootstrap = ClientBootstrap(group: Loopback.group)
        if let source { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0)) }
        let (call, opened) = try await bootstrap.connect(to: address) { channel in
            channel.eventLoop.makeCompletedFuture {
                let session = try Session(role: .client, settings: settings)
                let opened = channel.eventLoop.makePromise(of: Void.self)
                let answered = channel.eventLoop.makePromise(of: [String: String].self)
                let link = RawLink(session, RawClient.head(path) + extra, body, opened, answered)
                try channel.pipeline.syncOperations.addHandler(
                    HTTP2Handler(session: session, delegate: link, handshakeTimeout: .seconds(60)))
                return (Call(channel: channel, answer: answered.futureResult), opened.futureResult)
            }
        }
        try await opened.get()
        return call
    }

    private init(
        _ session: Session, _ fields: [HeaderField], _ body: ByteBuffer, _ opened: EventLoopPromise<Void>,
        _ answered: EventLoopPromise<[String: String]>
    ) {
        self.session = session
        self.fields = fields
        self.body = body
        self.opened = opened
        self.answered = answered
    }

    func received(_ event: SessionEvent) {
        switch event {
        case .settings where !hasOpened:
            hasOpened = true
            if let stream = try? session.request(fields) { session.send(stream: stream, body) }
            opened.succeed()
        case .headers(_, let fields, _): for field in fields { answer[field.name] = field.value }
        case .closed(_, let code):
            answer["closed"] = "\(code)"
            answered.succeed(answer)
        default: break
        }
    }

    func received(stream: Int32, data: ByteBuffer) {}

    func ended(_ reason: (any Error)?) {
        let error = reason ?? ChannelError.eof
        opened.fail(error)
        answered.fail(error)
    }
}

/// An end that says hello in HTTP/2 and then nothing more: it answers no PING.
enum Mute {
    static let clientHello = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    static let settings = ByteBuffer(bytes: [0, 0, 0, 4, 0, 0, 0, 0, 0])

    static func client(of address: SocketAddress) async throws -> any Channel {
        let channel = try await ClientBootstrap(group: Loopback.group).connect(to: address).get()
        // The server may have given up already.
        channel.write(clientHello, promise: nil)
        channel.writeAndFlush(settings, promise: nil)
        return channel
    }

    private final class Hello: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelActive(context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(Mute.settings), promise: nil)
        }
    }

    static func server() async throws -> any Channel {
        try await ServerBootstrap(group: Loopback.group).childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Hello()) }
        }.bind(host: "127.0.0.1", port: 0).get()
    }
}
