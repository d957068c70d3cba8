import Hummingbird
import HummingbirdCore
import Jobs
package import Logging
package import NIOCore
import NIOPosix
import RPC
import ServiceLifecycle

/// HTTP in front of a mesh.
///
/// Life: `start` leaves it bound and answering, with or without a coordinator; `run()` goes on until its task is
/// cancelled, then takes no more connections, lets running requests end within `drainTimeout`, and ends. One that was
/// started must be run, if only with a cancelled task.
///
///     let gateway = try await GatewayServer.start(configuration, group: group, logger: logger)
///     print("ready \(gateway.address)")
///     try await gateway.run()
package final class GatewayServer: Sendable {
    /// Where it listens.
    package let address: SocketAddress
    /// Every route there is, with what it asks of its callers.
    package let routes: [RouteTable.Route]
    private let services: ServiceGroup
    private let running: Task<Void, any Error>
    /// Looks at the files of the certificate.
    private let certificates: RepeatedTask?

    private init(
        address: SocketAddress, routes: [RouteTable.Route], services: ServiceGroup, running: Task<Void, any Error>,
        certificates: RepeatedTask?
    ) {
        self.address = address
        self.routes = routes
        self.services = services
        self.running = running
        self.certificates = certificates
    }

    /// - Throws: `GatewayError` that names the file, folder or address that cannot be used.
    package static func start(
        _ configuration: GatewayConfiguration, group: any EventLoopGroup, logger: Logger
    ) async throws -> GatewayServer {
        let page = try await NIOThreadPool.singleton.runIfActive {
            try PageAssets(page: configuration.page, apiDescription: configuration.apiDescription)
        }
        let tls = try await NIOThreadPool.singleton.runIfActive {
            try configuration.tls?.contexts(protocols: ["http/1.1"])
        }
        let metrics = GatewayMetrics(configuration.metrics)
        let videos = try await VideoServices.open(configuration, metrics.videos)
        if let reason = videos?.store.unseen {
            logger.warning(
                "nobody will see when this gateway is gone: its jobs and streams wait for the end of their leases then",
                metadata: ["data": "\(configuration.data)", "reason": "\(reason)"])
        }
        let coordinators = Coordinators(
            configuration.coordinators, configuration.tracedCalling, configuration.limits, group: group, logger: logger)
        let viewers = Places(
            configuration.limits.events.viewers, "viewers", of: "viewers of streams",
            share: configuration.limits.rate.share)
        let services = GatewayServices(
            configuration: configuration, coordinators: coordinators, videos: videos, viewers: viewers,
            streams: LiveStreams(
                StreamRules(configuration), places: viewers, metrics: metrics.streams,
                keeper: videos.map { StreamKeeper($0.store, lease: configuration.limits.streams.lease) },
                logger: logger, pipeline: { try await coordinators.pipeline(named: $0) },
                client: { try await coordinators.client() }),
            uploads: Places(
                configuration.limits.pictures.maxUploadMemory, "max-upload-memory", of: "bytes of pictures",
                share: configuration.limits.rate.share),
            metrics: metrics, group: group, logger: logger)
        let table = RouteTable()
        let router = GatewayRoutes(services: services, page: page, table: table).router()
        let connections = ConnectionCount(configuration.limits.connections)
        let census = videos.map { StoreCensus($0, logger: logger) }
        await census?.look()
        services.show(in: configuration.metrics, connections: connections, census: census)
        var rooms: [any Service] = [services.coordinators, services.streams]
        if let videos, let census {
            let teller = VideoTeller(videos, services.streams.rules, logger: logger)
            rooms += [JobRunner(videos, services), teller, census]
        }
        let (bound, announce) = AsyncThrowingStream<SocketAddress, any Error>.makeStream()
        let application = Application(
            responder: PlainPath(next: router.buildResponder()),
            server: HTTPServerBuilder { responder in
                GatewayChannel(
                    responder: responder, limits: configuration.limits.connections, connections: connections, tls: tls,
                    metrics: services.metrics)
            },
            configuration: ApplicationConfiguration(address: configuration.listen.bindAddress),
            services: rooms,
            onServerRunning: { channel in if let address = channel.localAddress { announce.yield(address) } },
            eventLoopGroupProvider: .shared(group), logger: logger)
        var life = ServiceGroupConfiguration(services: [application], logger: logger)
        life.maximumGracefulShutdownDuration = configuration.drainTimeout
        let lives = ServiceGroup(configuration: life)
        // Belongs to the gateway: `run` waits for its end.
        let running = Task {
            do {
                try await lives.run()
                try await videos?.store.close()
                announce.finish()
            } catch {
                try? await videos?.store.close()
                announce.finish(throwing: error)
                throw error
            }
        }
        do {
            for try await address in bound {
                let watch = configuration.tls.flatMap {
                    tls?.watch(every: $0.reloadInterval, on: group.any(), logger)
                }
                return GatewayServer(
                    address: address, routes: table.routes, services: lives, running: running, certificates: watch)
            }
        } catch {
            throw GatewayError(
                "cannot listen on \(configuration.listen): \(SystemError.text(error))", cause: error,
                isOfListening: true)
        }
        throw CancellationError()
    }

    /// - Throws: what ended it before it was cancelled.
    package func run() async throws {
        defer { certificates?.cancel() }
        try await withTaskCancellationHandler {
            try await running.value
        } onCancel: {
            // Ends with `running`, which is waited for.
            Task { await services.triggerGracefulShutdown() }
        }
    }
}

extension ServerAddress {
    fileprivate var bindAddress: BindAddress {
        switch self {
        case .host(let name, let port): .hostname(name, port: port)
        case .socket(let address):
            if let path = address.pathname {
                .unixDomainSocket(path: path)
            } else {
                .hostname(address.ipAddress ?? "", port: address.port ?? 0)
            }
        }
    }
}
