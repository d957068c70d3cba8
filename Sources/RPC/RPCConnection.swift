public import Logging
public import NIOCore
import NIOPosix

/// One HTTP/2 connection to one address. Its end is final; Mesh makes a new one.
public final class RPCConnection: Sendable {
    private let inbox: LoopInbox<ClientConnection>
    private let status: ConnectionStatus
    private let creditStep: Int

    /// Bytes read from a socket at once: larger ones miss the cache, smaller ones cost more calls.
    private static let receiveBytes = 128 << 10
    private static let outputWaterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)

    private init(inbox: LoopInbox<ClientConnection>, status: ConnectionStatus, creditStep: Int) {
        self.inbox = inbox
        self.status = status
        self.creditStep = creditStep
    }

    /// - Parameter authority: the name that the peer is told; without it the address.
    /// - Throws: `RPCError` UNAVAILABLE, `neverStarted`, that names the address and what is wrong with it.
    public static func connect(
        to address: SocketAddress, authority: String? = nil, configuration: ClientConfiguration = .init(),
        budget: MemoryBudget = .shared, group: any EventLoopGroup, logger: Logger
    ) async throws -> RPCConnection {
        let peer = address.readable
        do {
            let (inbox, status, isReady) = try await open(
                address, peer: peer, authority: authority ?? defaultAuthority(address), configuration, budget, group)
            try await isReady.get()
            logger.debug("connected", metadata: ["peer": "\(peer)"])
            return RPCConnection(
                inbox: inbox, status: status, creditStep: configuration.initialStreamWindowBytes / 4)
        } catch {
            throw RPCError(
                .unavailable, "cannot connect to \(peer): \(SystemError.text(error))", cause: error, neverStarted: true)
        }
    }

    private static func open(
        _ address: SocketAddress, peer: String, authority: String, _ configuration: ClientConfiguration,
        _ budget: MemoryBudget, _ group: any EventLoopGroup
    ) async throws -> (LoopInbox<ClientConnection>, ConnectionStatus, EventLoopFuture<Void>) {
        try await ClientBootstrap(group: group.next())
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: receiveBytes))
            .channelOption(.writeBufferWaterMark, value: outputWaterMark)
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = try ClientConnection.make(
                        on: channel, peer: peer, authority: authority, configuration: configuration, budget: budget)
                    guard let inbox = connection.inbox else { throw ChannelError.alreadyClosed }
                    return (inbox, connection.status, connection.isReady)
                }
            }
    }

    /// RFC 9110 wants a host here; a socket in the file system has none.
    private static func defaultAuthority(_ address: SocketAddress) -> String {
        if case .unixDomainSocket = address { "localhost" } else { address.readable }
    }

    /// The identity that the peer announced in `framemesh-framing`, once any response came.
    public var attachmentPeer: String? { status.attachmentPeer }

    /// New calls can start: neither closed nor told to go away.
    public var isUsable: Bool { status.isUsable }

    /// Calls `action` once when new calls cannot start any more (at once if that is so already). It must not block.
    public func onUnusable(_ action: @escaping @Sendable () -> Void) { status.onUnusable(action) }

    public func unary(
        _ path: String, _ request: Payload, options: CallOptions = CallOptions()
    ) async throws -> UnaryResponse {
        try request.checkLengths()
        let call = ClientStream(path: path, options: options)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                inbox.submit { $0.start(call, .unary(request, continuation)) }
            }
        } onCancel: {
            inbox.submit { $0.cancel(call) }
        }
    }

    /// Returns when the call has its stream.
    public func open(_ path: String, options: CallOptions = CallOptions()) async throws -> ClientCall {
        let call = ClientStream(path: path, options: options)
        let inbox = inbox
        let state = StreamingState(
            inbound: InboundQueue(creditStep: creditStep) { bytes in
                inbox.submit { $0.credit(bytes, on: call) }
            } abandoned: {
                inbox.submit { $0.cancel(call) }
            })
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                inbox.submit { $0.start(call, .streaming(state, opened: continuation)) }
            }
        } onCancel: {
            inbox.submit { $0.cancel(call) }
        }
        return ClientCall(call: call, state: state, inbox: inbox)
    }

    /// Returns when the connection has ended, with the reason.
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
