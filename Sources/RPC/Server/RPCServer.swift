import HTTP2
public import Logging
public import NIOCore
import NIOPosix
import Synchronization

/// A listening socket and the services behind it; its connections are spread on the loops of its group, in turn.
///
///     let server = try await RPCServer.bind(host: "127.0.0.1", port: 0, services: [health], group: group, logger: logger)
///     try await server.run()
public final class RPCServer: Sendable {
    private let channel: any Channel
    /// Of a Unix-domain socket.
    private let file: SocketFile?
    private let context: ServerContext
    public let address: SocketAddress
    private let state = Mutex(State())

    private struct State {
        var isDraining = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private init(channel: any Channel, file: SocketFile?, context: ServerContext) throws {
        guard let address = channel.localAddress else { throw ChannelError.unknownLocalAddress }
        self.channel = channel
        self.file = file
        self.address = address
        self.context = context
    }

    /// Binds now, so that `address` is known; serves once `run()` is called.
    /// - Throws: `RPCError` UNAVAILABLE that names the address and what is wrong with it.
    public static func bind(
        host: String, port: Int, configuration: ServerConfiguration = .init(), services: [any RPCService],
        interceptors: [any ServerInterceptor] = [], budget: MemoryBudget = .shared, group: any EventLoopGroup,
        logger: Logger
    ) async throws -> RPCServer {
        try await bind(
            to: .host(host, port: port), configuration: configuration, services: services, interceptors: interceptors,
            budget: budget, group: group, logger: logger)
    }

    /// Listens on a Unix-domain socket. One that a server has left over is taken over, one that listens is not; the
    /// file has `ServerConfiguration.unixSocketMode`, and is removed at the end.
    public static func bind(
        unixSocket path: String, configuration: ServerConfiguration = .init(), services: [any RPCService],
        interceptors: [any ServerInterceptor] = [], budget: MemoryBudget = .shared, group: any EventLoopGroup,
        logger: Logger
    ) async throws -> RPCServer {
        try await bind(
            named: "unix:\(path)", configuration, services, interceptors, budget, group, logger
        ) { try await $0.listen(unixSocket: path, mode: configuration.unixSocketMode) }
    }

    public static func bind(
        to address: ServerAddress, configuration: ServerConfiguration = .init(), services: [any RPCService],
        interceptors: [any ServerInterceptor] = [], budget: MemoryBudget = .shared, group: any EventLoopGroup,
        logger: Logger
    ) async throws -> RPCServer {
        if case .socket(let socket) = address, let path = socket.pathname {
            return try await bind(
                unixSocket: path, configuration: configuration, services: services, interceptors: interceptors,
                budget: budget, group: group, logger: logger)
        }
        let keepalive = configuration.keepalive
        let timeout = keepalive.kernelTimeout(besideOutputs: configuration.slowPeers.outputTimeout)
        return try await bind(named: "\(address)", configuration, services, interceptors, budget, group, logger) {
            try await $0.listen(address, sendTimeout: keepalive.time == nil ? nil : timeout)
        }
    }

    private static func bind(
        named name: String, _ configuration: ServerConfiguration, _ services: [any RPCService],
        _ interceptors: [any ServerInterceptor], _ budget: MemoryBudget, _ group: any EventLoopGroup, _ logger: Logger,
        listen: (ServerListener) async throws -> (any Channel, SocketFile?)
    ) async throws -> RPCServer {
        do {
            let context = ServerContext(
                configuration: configuration, services: services, interceptors: interceptors, budget: budget,
                logger: logger, tls: try await tlsContext(configuration))
            let listener = ServerListener(
                group: group, congestionControl: configuration.congestionControl, logger: logger
            ) {
                try accept($0, context)
            }
            let (channel, file) = try await listen(listener)
            return try RPCServer(channel: channel, file: file, context: context)
        } catch {
            throw RPCError(.unavailable, "cannot listen on \(name): \(SystemError.text(error))", cause: error)
        }
    }

    private static func tlsContext(_ configuration: ServerConfiguration) async throws -> TLSContextStore? {
        guard let tls = configuration.tls else { return nil }
        return try await NIOThreadPool.singleton.runIfActive { try TLSContextStore(tls.settings) }
    }

    private static func accept(_ channel: any Channel, _ context: ServerContext) throws {
        let place: ConnectionRegistry.Place
        do throws(RPCError) {
            place = try context.connections.reserve(channel.remoteAddress, context.configuration, context.budget)
        } catch {
            if let limit = error.limit {
                context.limits.count(limit, peer: channel.peerName, error.message, context.logger)
            }
            throw error
        }
        do {
            let connection = try ServerConnection.make(on: channel, sharing: place.share, context: context)
            if let tls = context.tls {
                try TLSPipeline.secure(channel, server: tls) { connection.certificate = $0 }
            }
            guard let inbox = connection.inbox else { throw ChannelError.alreadyClosed }
            context.connections.add(inbox, channel: channel, in: place)
        } catch {
            context.connections.giveBack(place)
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
        // One that was accepted while the socket was closed may not have been there yet.
        context.connections.cut()
        await context.connections.open.zero()
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
        file?.remove()
        for service in context.services { service.drain() }
        context.connections.drain()
        waiter?.resume()
    }
}
