public import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// `GET /metrics` over HTTP/1.1, for Prometheus. Each connection gets one answer and is closed: who scrapes comes seldom,
/// and a connection that lasts would need limits of its own.
///
/// Life: `start` leaves it listening and answering, until `stop`.
public final class MetricsServer: Sendable {
    /// Every size, count and wait.
    public struct Limits: Sendable, Hashable {
        /// Connections at one time; more are closed at once.
        public var connections = 32
        /// Of a request, all of it.
        public var requestBytes = 16 << 10
        /// From a connection's beginning to its end.
        public var connectionTime: TimeAmount = .seconds(30)

        public init() {}
    }

    private let channel: any Channel
    private let open: OpenChannels

    private init(_ channel: any Channel, _ open: OpenChannels) {
        self.channel = channel
        self.open = open
    }

    /// - Parameter text: the metrics, in Prometheus' text format; called on an event loop for each answer, so it must not
    ///   block.
    /// - Throws: what the bind says.
    public static func start(
        host: String, port: Int, limits: Limits = Limits(), group: any EventLoopGroup,
        text: @escaping @Sendable () -> String
    ) async throws -> MetricsServer {
        let open = OpenChannels(limit: limits.connections)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard open.add(channel) else { throw ChannelError.ioOnClosedChannel }
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(RequestBytes(limit: limits.requestBytes))
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(MetricsAnswer(patience: limits.connectionTime, text: text))
                }
            }
            .bind(host: host, port: port).get()
        return MetricsServer(channel, open)
    }

    /// Where it listens.
    public var address: SocketAddress? { channel.localAddress }

    /// Listens no more; connections are cut.
    public func stop() async {
        try? await channel.close()
        open.close()
    }
}

/// Connections that are open.
private final class OpenChannels: Sendable {
    private let limit: Int
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    init(limit: Int) { self.limit = limit }

    /// False: there are too many.
    func add(_ channel: any Channel) -> Bool {
        let isAdded = channels.withLock { channels in
            guard channels.count < limit else { return false }
            channels[ObjectIdentifier(channel)] = channel
            return true
        }
        guard isAdded else { return false }
        let name = ObjectIdentifier(channel)
        channel.closeFuture.whenComplete { [self] _ in channels.withLock { _ = $0.removeValue(forKey: name) } }
        return true
    }

    func close() {
        let all = channels.withLock { Array($0.values) }
        for channel in all { channel.close(promise: nil) }
    }
}

/// Ends a connection that sends more than a request may have.
private final class RequestBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var left: Int

    init(limit: Int) { left = limit }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        left -= unwrapInboundIn(data).readableBytes
        guard left >= 0 else {
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }
}

/// Answers the first request of a connection, and ends it.
private final class MetricsAnswer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let patience: TimeAmount
    private let text: @Sendable () -> String
    private var head: HTTPRequestHead?
    private var hasAnswered = false
    private var timer: Scheduled<Void>?

    init(patience: TimeAmount, text: @escaping @Sendable () -> String) {
        self.patience = patience
        self.text = text
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = self.head ?? head
        case .body: break
        case .end:
            guard let head, !hasAnswered else { return }
            hasAnswered = true
            answer(head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = request.uri.prefix { $0 != "?" }
        let isRead = request.method == .GET || request.method == .HEAD
        let status: HTTPResponseStatus = path != "/metrics" ? .notFound : isRead ? .ok : .methodNotAllowed
        let body = context.channel.allocator.buffer(string: status == .ok ? text() : "\(status.reasonPhrase)\n")
        var headers = HTTPHeaders([
            ("content-type", "text/plain; version=0.0.4; charset=utf-8"),
            ("content-length", "\(body.readableBytes)"), ("connection", "close"),
        ])
        if status == .methodNotAllowed { headers.add(name: "allow", value: "GET, HEAD") }
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}
