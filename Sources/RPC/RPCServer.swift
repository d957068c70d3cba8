import HTTP2
public import Logging
public import NIOCore
import NIOPosix
import Synchronization

/// A listening socket and the services behind it; connections are spread on the loops of its group.
///
///     let server = try await RPCServer.bind(host: "127.0.0.1", port: 0, services: [health], group: group, logger: logger)
///     try await server.run()
public final class RPCServer: Sendable {
    private let channel: any Channel
    private let context: ServerContext
    public let address: SocketAddress
    private let state = Mutex(State())

    private struct State {
        var isDraining = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private init(channel: any Channel, context: ServerContext) throws {
        guard let address = channel.localAddress else { throw ChannelError.unknownLocalAddress }
        self.channel = channel
        self.address = address
        self.context = context
    }

    /// Binds now, so that `address` is known; serves once `run()` is called.
    /// - Parameter interceptors: what stands around every method, in order (`ServerInterceptor`).
    /// - Throws: `RPCError` UNAVAILABLE that names the address and what is wrong with it.
    public static func bind(
        host: String, port: Int, configuration: ServerConfiguration = .init(), services: [any RPCService],
        interceptors: [any ServerInterceptor] = [], budget: MemoryBudget = .shared, group: any EventLoopGroup,
        logger: Logger
    ) async throws -> RPCServer {
        do {
            let context = ServerContext(
                configuration: configuration, services: services, interceptors: interceptors, budget: budget,
                logger: logger, tls: try await tlsContext(configuration))
            let listener = ServerListener(group: group, congestionControl: configuration.congestionControl) {
                try accept($0, context)
            }
            return try RPCServer(channel: try await listener.listen(host: host, port: port), context: context)
        } catch {
            throw RPCError(
                .unavailable, "cannot listen on \(host):\(port): \(SystemError.text(error))", cause: error)
        }
    }

    private static func tlsContext(_ configuration: ServerConfiguration) async throws -> TLSContextStore? {
        guard let tls = configuration.tls else { return nil }
        return try await NIOThreadPool.singleton.runIfActive { try TLSContextStore(tls.settings) }
    }

    private static func accept(_ channel: any Channel, _ context: ServerContext) throws {
        let connection = try ServerConnection.make(on: channel, context: context)
        if let tls = context.tls {
            try TLSPipeline.secure(channel, server: tls) { connection.certificate = $0 }
        }
        guard let inbox = connection.inbox else { return }
        let limit = context.configuration.maxConnections
        guard context.connections.add(inbox, channel: channel, limit: limit) else {
            let error = RPCError(.resourceExhausted, "more than \(limit) connections", limit: .connections)
            context.limits.count(
                .connections, peer: channel.remoteAddress?.readable ?? "unknown", error.message, context.logger)
            throw error
        }
    }

    /// Serves until drained or cancelled (cancelling drains within `drainTimeout`, then cuts).
    public func run() async throws {
        do {
            try await channel.setOption(.autoRead, value: true).get()
        } catch {
            // Drained before it served.
            guard state.withLock({ $0.isDraining }) else { throw error }
        }
        let renewal = context.configuration.tls.flatMap {
            context.tls?.watch(every: $0.reloadInterval, on: channel.eventLoop, context.logger)
        }
        await withTaskCancellationHandler {
            await untilDraining()
        } onCancel: {
            drain()
        }
        renewal?.cancel()
        await finish()
    }

    /// Looks at the files of `ServerConfiguration.tls` now. New connections get what is there; the others go on.
    /// - Throws: `RPCError` FAILED_PRECONDITION if they cannot be used; what was read before them stays.
    public func reloadCertificates() async throws { try await context.tls?.renew(context.logger) }

    private func untilDraining() async {
        await withCheckedContinuation { continuation in
            let isDraining = state.withLock { state in
                if !state.isDraining { state.waiter = continuation }
                return state.isDraining
            }
            if isDraining { continuation.resume() }
        }
    }

    /// The running calls end within `drainTimeout`, or are cut; then their tasks end.
    private func finish() async {
        // Not a child task: the task of `run()` may be cancelled already, and time must pass all the same.
        let timeout = TimeAmount(context.configuration.drainTimeout)
        let timer = channel.eventLoop.scheduleTask(in: timeout) { [context] in context.connections.cut() }
        await context.connections.open.zero()
        timer.cancel()
        try? await channel.closeFuture.get()
    }

    /// GOAWAY with the largest id, later the real one; running calls finish; then `run()` returns.
    public func drain() {
        let (isFirst, waiter) = state.withLock { state in
            defer { state.isDraining = true }
            return (!state.isDraining, state.waiter.take())
        }
        guard isFirst else { return }
        channel.close(promise: nil)
        for service in context.services { service.drain() }
        context.connections.drain()
        waiter?.resume()
    }
}
