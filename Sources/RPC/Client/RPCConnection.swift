public import Logging
public import NIOCore
import NIOPosix
import NIOSSL

/// One HTTP/2 connection to one address. Its end is final; Mesh makes a new one.
public final class RPCConnection: Sendable {
    let inbox: LoopInbox<ClientConnection>
    private let status: ConnectionStatus
    let configuration: ClientConfiguration
    /// Runs tasks on the connection's event loop. A task that does little but wait for calls on this connection saves
    /// two changes of thread for each of them there; one that computes for long, or blocks, holds up all calls.
    ///
    ///     Task(executorPreference: connection.executor) { try await connection.unary(path, request) }
    public let executor: any TaskExecutor
    /// Nobody outside of this host can read what is sent.
    let isPrivate: Bool
    /// That of each new stream.
    private let queued: QueuedShare
    /// Its address.
    package let peer: String
    package let logger: Logger

    private static let outputWaterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)

    private init(
        _ opened: Opened, configuration: ClientConfiguration, isPrivate: Bool, peer: String, logger: Logger
    ) {
        inbox = opened.inbox
        executor = LoopExecutor(opened.inbox.eventLoop)
        status = opened.status
        queued = opened.queued
        self.configuration = configuration
        self.isPrivate = isPrivate
        self.peer = peer
        self.logger = logger
    }

    public static func connect(
        to address: SocketAddress, authority: String? = nil, configuration: ClientConfiguration = .init(),
        budget: MemoryBudget = .shared, group: any EventLoopGroup, logger: Logger
    ) async throws -> RPCConnection {
        try await connect(
            to: .socket(address), authority: authority, configuration: configuration, budget: budget, group: group,
            logger: logger)
    }

    /// - Parameter authority: what the peer is told that it was asked for, and its certificate must bear, unless
    ///   `tls.serverName` says another name; nil: the address.
    /// - Throws: `RPCError` UNAVAILABLE, `neverStarted`, that names the address and what is wrong with it; also, at once, when the
    ///   task is cancelled.
    public static func connect(
        to address: ServerAddress, authority: String? = nil, configuration: ClientConfiguration = .init(),
        budget: MemoryBudget = .shared, group: any EventLoopGroup, logger: Logger
    ) async throws -> RPCConnection {
        let peer = "\(address)"
        let authority = address.authority(authority, configuration.tls)
        do {
            let name = ServerName(configuration.tls?.serverName ?? host(ofAuthority: authority))
            let tls = try await tlsContext(configuration, for: name, logger)
            let attempts = ConnectAttempts()
            let opened = try await withTaskCancellationHandler {
                let opened = try await open(
                    address, peer: peer, authority: authority, configuration, tls.map { ($0, name) }, budget, group,
                    attempts, logger)
                try await opened.isReady.get()
                return opened
            } onCancel: {
                attempts.cancel()
            }
            logger.debug("connected", metadata: ["peer": "\(peer)"])
            return RPCConnection(
                opened, configuration: configuration,
                isPrivate: tls != nil || opened.channel.remoteAddress?.isThisHost ?? false,
                peer: peer, logger: logger)
        } catch {
            throw RPCError(
                .unavailable, "cannot connect to \(peer): \(SystemError.text(error))", cause: error, neverStarted: true)
        }
    }

    /// Reads what the peer answered. What goes beyond a limit there counts against it, as what goes beyond one on the wire does.
    func read<Value>(
        _ answer: ByteBuffer, _ read: (ByteBuffer) throws(RPCError) -> Value
    ) throws(RPCError) -> Value {
        do { return try read(answer) } catch {
            if let limit = error.limit { LimitCounters.client.count(limit, peer: peer, error.message, logger) }
            throw error.withheld
        }
    }

    private struct Opened: Sendable {
        var channel: any Channel
        var inbox: LoopInbox<ClientConnection>
        var status: ConnectionStatus
        var queued: QueuedShare
        var isReady: EventLoopFuture<Void>
    }

    private static func open(
        _ address: ServerAddress, peer: String, authority: String, _ configuration: ClientConfiguration,
        _ tls: (context: NIOSSLContext, name: ServerName)?, _ budget: MemoryBudget, _ group: any EventLoopGroup,
        _ attempts: ConnectAttempts, _ logger: Logger
    ) async throws -> Opened {
        let began = NIODeadline.now()
        var bootstrap = ClientBootstrap(group: group.next())
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.writeBufferWaterMark, value: outputWaterMark)
        if !address.isInFileSystem {
            bootstrap =
                bootstrap
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { CongestionControl.set(configuration.congestionControl, on: $0) }
            if configuration.keepalive.time != nil {
                let timeout = configuration.keepalive.kernelTimeout(besideOutputs: configuration.outputTimeout)
                bootstrap = bootstrap.channelOption(.userTimeout, value: .milliseconds(of: timeout))
            }
        }
        let start = { @Sendable (channel: any Channel) in
            channel.eventLoop.makeCompletedFuture {
                try attempts.begin(channel)
                let connection = try ClientConnection.make(
                    on: channel, peer: peer, authority: authority, configuration: configuration, budget: budget,
                    logger: logger, began: began)
                if let tls { try TLSPipeline.secure(channel, client: tls.context, serverName: tls.name) }
                guard let inbox = connection.inbox else { throw ChannelError.alreadyClosed }
                return Opened(
                    channel: channel, inbox: inbox, status: connection.status,
                    queued: QueuedShare(budget, connection.share), isReady: connection.isReady)
            }
        }
        switch address {
        case .socket(let address): return try await bootstrap.connect(to: address, channelInitializer: start)
        case .host(let name, let port):
            return try await bootstrap.connect(host: name, port: port, channelInitializer: start)
        }
    }

    /// With the files as they are now.
    private static func tlsContext(
        _ configuration: ClientConfiguration, for name: ServerName, _ logger: Logger
    ) async throws -> NIOSSLContext? {
        guard let tls = configuration.tls else { return nil }
        let (store, isNew) = try await NIOThreadPool.singleton.runIfActive { try tls.store(for: name) }
        // If they cannot be used now, it is in the log, and those before them serve.
        if !isNew { try? await store.renew(logger) }
        return store.context
    }

    /// `name` of `name:443`, `::1` of `[::1]:443`.
    static func host(ofAuthority authority: String) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        return String(authority.prefix { $0 != ":" })
    }

    /// The identity that the peer announced in `framemesh-framing`, once any response came.
    public var attachmentPeer: String? { status.attachmentPeer }

    /// New calls can start: neither closed nor told to go away.
    public var isUsable: Bool { status.isUsable }

    /// A response head or a status has come, of any call.
    var hasAnswered: Bool { status.hasAnswered }

    /// Calls `action` once when new calls cannot start any more (at once if that is so already). It must not block.
    public func onUnusable(_ action: @escaping @Sendable () -> Void) { status.onUnusable(action) }

    /// By the clock of the connection's event loop, so that a task on `executor` goes on without a change of threads. Shorter
    /// when the task is cancelled.
    package func sleep(until time: Deadline) async {
        let limit = Waiters<Void>.Limit(time, on: inbox.eventLoop) { RPCError(.deadlineExceeded, "it is over") }
        // Either is an error.
        try? await Waiters().wait("the sleep was cancelled", until: limit) { nil }
    }

    public func unary(
        _ path: String, _ request: Payload, options: CallOptions = CallOptions()
    ) async throws -> UnaryResponse {
        try request.checkLengths()
        try checkPrivacy(options)
        let request = try request.deflated(as: options.compression)
        let call = ClientStream(path: path, options: options)
        var response = try await withTaskCancellationHandler {
            // The connection resumes it once, whatever happens.
            try await unsafe withUnsafeThrowingContinuation { continuation in
                unsafe inbox.submit(.start(call, .unary(request, .task(continuation))))
            }
        } onCancel: {
            inbox.submit(.cancel(call))
        }
        try response.inflate()
        return response
    }

    /// Returns when the call has its stream.
    public func open(_ path: String, options: CallOptions = CallOptions()) async throws -> ClientCall {
        ClientCall(kind: .direct(try await attempt(path, options: options)))
    }

    func attempt(_ path: String, options: CallOptions) async throws -> StreamAttempt {
        try checkPrivacy(options)
        let call = ClientStream(path: path, options: options)
        let inbox = inbox
        let state = StreamingState(
            inbound: InboundQueue(
                creditStep: configuration.initialStreamWindowBytes / 4, maxBytes: configuration.maxQueuedBytes,
                memory: queued
            ) { bytes in
                inbox.submit { $0.taken(call, credit: bytes) }
            } abandoned: {
                inbox.submit { $0.cancel(call) }
            }, gate: OutboundGate(limitBytes: configuration.maxQueuedOutputBytes))
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                inbox.submit { $0.start(call, .streaming(state, opened: continuation)) }
            }
        } onCancel: {
            inbox.submit { $0.cancel(call) }
        }
        return StreamAttempt(call: call, state: state, inbox: inbox)
    }

    func checkPrivacy(_ options: CallOptions) throws(RPCError) {
        guard options.needsPrivateConnection, !isPrivate else { return }
        throw RPCError(
            .unauthenticated, "the call needs a private connection: TLS, or a server on this host", neverStarted: true)
    }

    /// Returns when the connection has ended, with the reason; CANCELLED when the task is cancelled first.
    public func closed() async -> RPCError { await status.closed() }

    /// No new calls; closes when the running ones have ended.
    public func drain() {
        status.stopUse()
        inbox.submit { $0.drain() }
    }

    public func close() {
        status.stopUse()
        inbox.submit { $0.close(RPCError(.unavailable, "connection was closed here")) }
    }
}
