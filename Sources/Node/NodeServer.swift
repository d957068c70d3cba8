public import Logging
import Messages
public import NIOCore
import RPC
import Services
import Vision

/// A detection or classification node: loads its models, warms them up, serves them.
///
/// Life: `start` leaves it bound and its health SERVING; `run()` serves until its task is cancelled, drains, and ends the
/// worker threads. A node that was started must be run, if only with a cancelled task.
public final class NodeServer: Sendable {
    private let server: RPCServer
    private let health: HealthService
    private let healthNames: [String]
    private let stopWorkers: @Sendable () async -> Void
    private let logger: Logger

    private init(
        server: RPCServer, health: HealthService, healthNames: [String], logger: Logger,
        stopWorkers: @Sendable @escaping () async -> Void
    ) {
        self.server = server
        self.health = health
        self.healthNames = healthNames
        self.logger = logger
        self.stopWorkers = stopWorkers
    }

    /// Loads, warms up, binds: ready once it returns, served once `run()` is called.
    /// - Throws: `NodeError`, `VisionError` or what the bind says; one line that names what is missing.
    public static func start(
        _ configuration: NodeConfiguration, group: any EventLoopGroup, logger: Logger
    ) async throws -> NodeServer {
        try configuration.validate()
        for model in configuration.models { try configuration.store.check(model) }
        switch configuration.role {
        case .detector:
            return try await start(configuration, group, logger) { DetectorService(DetectorNode(pool: $0, models: $1)) }
        case .classifier:
            return try await start(configuration, group, logger) {
                ClassifierService(ClassifierNode(pool: $0, models: $1, maxRegions: configuration.maxRegions))
            }
        }
    }

    private static func start<Work: VisionWork>(
        _ configuration: NodeConfiguration, _ group: any EventLoopGroup, _ logger: Logger,
        service: (WorkerPool<ModelRunner<Work>>, ModelNames) -> any RPCService
    ) async throws -> NodeServer {
        let pool = WorkerPool<ModelRunner<Work>>(
            queue: WorkQueue(
                admission: Admission(limit: configuration.queueLimit, workers: configuration.workers),
                batchers: configuration.models.map { _ in
                    Batcher(maxBatchSize: configuration.maxBatchSize, maxQueueDelay: .init(configuration.maxQueueDelay))
                }),
            workers: configuration.workers)
        try await pool.start { [loader = ModelLoader(configuration: configuration), now = pool.now] _ in
            let loaded = try loader.load()
            pool.learn(from: loaded)
            return ModelRunner(models: loaded.models, limits: configuration.imageLimits, now: now)
        }
        do {
            let names = ModelNames(names: configuration.models.map(\.name))
            return try await bind(
                configuration, service(pool, names), pool.describer(of: configuration), group, logger,
                stopWorkers: { await pool.stop() })
        } catch {
            await pool.stop()
            throw error
        }
    }

    private static func bind(
        _ configuration: NodeConfiguration, _ service: any RPCService, _ describer: NodeDescriber,
        _ group: any EventLoopGroup, _ logger: Logger, stopWorkers: @Sendable @escaping () async -> Void
    ) async throws -> NodeServer {
        let bound = try await RoleServer.bind(
            "\(configuration.role)", [service, NodeService(describer)], to: configuration.listen, configuration.server,
            access: configuration.access, group: group, logger: logger)
        let names = ["", configuration.role.serviceName, ServiceName.node] + configuration.models.map(\.name)
        for name in names { bound.health.set(.serving, for: name) }
        return NodeServer(
            server: bound.server, health: bound.health, healthNames: names, logger: logger, stopWorkers: stopWorkers)
    }

    public var address: SocketAddress { server.address }

    /// Serves until cancelled; then drains within the server's `drainTimeout`.
    public func run() async throws {
        let outcome: Result<Void, any Error>
        do {
            try await withTaskCancellationHandler {
                try await server.run()
            } onCancel: {
                logger.info("draining")
                for name in healthNames { health.set(.notServing, for: name) }
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        // The workers outlive the server: what drains needs them.
        await stopWorkers()
        try outcome.get()
    }
}
