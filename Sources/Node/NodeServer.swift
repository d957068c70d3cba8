public import Logging
import Messages
import Metrics
public import NIOCore
import RPC
import Services
import Synchronization
import Telemetry
import Traces
import Vision

/// A node of the mesh: loads its models, warms them up, serves them.
///
/// Life: `start` leaves it bound and its health SERVING; `run()` serves until its task is cancelled, drains, and ends the
/// worker threads. A node that was started must be run, if only with a cancelled task.
public final class NodeServer: Sendable {
    private let server: RoleServer
    private let healthNames: [String]
    private let workers: any Workers
    private let patience: Duration
    private let drainTimeout: Duration
    private let loop: any EventLoop
    private let logger: Logger
    private let lastCall = Mutex(LastCall())

    /// When workers that do not come back are left behind.
    private struct LastCall {
        var timer: Scheduled<Void>?
    }

    private init(
        server: RoleServer, healthNames: [String], workers: any Workers, patience: Duration,
        drainTimeout: Duration, loop: any EventLoop, logger: Logger
    ) {
        self.server = server
        self.healthNames = healthNames
        self.workers = workers
        self.patience = patience
        self.drainTimeout = drainTimeout
        self.loop = loop
        self.logger = logger
    }

    /// Loads, warms up, binds: ready once it returns, served once `run()` is called.
    /// - Throws: `NodeError`, `VisionError` or what the bind says; one line that names what is missing.
    public static func start(
        _ configuration: NodeConfiguration, group: any EventLoopGroup, logger: Logger
    ) async throws -> NodeServer {
        try configuration.check()
        let factory: any MetricsFactory = configuration.metrics ?? MetricsSystem.factory
        let lanes = ModelLanes(configuration.models, of: configuration.role)
        let pool = WorkerPool<ModelRunner>(
            queue: WorkQueue(
                admission: Admission(limit: configuration.queueLimit, workers: configuration.workers),
                batchers: lanes.all.map { _ in Batcher(configuration) },
                inOrderOfArrival: configuration.preservesOrder),
            workers: configuration.workers, ordered: configuration.preservesOrder ? lanes.groups : nil,
            metrics: NodeMetrics(role: configuration.role, factory: factory))
        if let metrics = configuration.metrics { pool.show(in: metrics, role: configuration.role) }
        try await pool.start { [loader = ModelLoader(configuration: configuration), now = pool.now] _ in
            let loaded = try loader.load()
            pool.learn(from: loaded, lanes.all)
            return ModelRunner(
                models: loaded.models, lanes: lanes.all, limits: configuration.imageLimits,
                passTimes: loaded.passTimes, now: now)
        }
        do {
            let desk = FrameDesk(pool: pool, lanes: lanes, trust: ClientTrust(logger: logger))
            return try await bind(
                configuration, services(configuration, desk), pool.describer(of: configuration, lanes.all), pool,
                group, logger)
        } catch {
            await pool.stop()
            throw error
        }
    }

    private static func services(_ configuration: NodeConfiguration, _ desk: FrameDesk) -> [any RPCService] {
        let detector = DetectorService(DetectorNode(desk: desk))
        let classifier = ClassifierService(ClassifierNode(desk: desk, maxRegions: configuration.maxRegions))
        switch configuration.role {
        case .detector: return [detector]
        case .classifier: return [classifier]
        case .node:
            return [
                detector, classifier, FusedService(FusedNode(desk: desk, maxRegions: configuration.maxRegions)),
            ]
        }
    }

    private static func bind(
        _ configuration: NodeConfiguration, _ services: [any RPCService], _ describer: NodeDescriber,
        _ workers: any Workers, _ group: any EventLoopGroup, _ logger: Logger
    ) async throws -> NodeServer {
        let bound = try await RoleServer.bind(
            "\(configuration.role)", services + [NodeService(describer)], to: configuration.listen,
            configuration.server,
            access: configuration.access, probes: configuration.probes,
            tracing: configuration.tracer.map {
                ServerTraces($0, beginningAt: [MethodPath.detect, MethodPath.classify, MethodPath.fused])
            },
            metrics: configuration.metrics ?? MetricsSystem.factory, group: group, logger: logger)
        let serviceNames = configuration.role.serviceNames
        var names = [""] + serviceNames + [ServiceName.node] + configuration.models.map(\.name)
        if !configuration.cluster.isEmpty {
            names += serviceNames.map { ServiceName.health($0, cluster: configuration.cluster) }
        }
        for name in names { bound.health.set(.serving, for: name) }
        return NodeServer(
            server: bound, healthNames: names, workers: workers,
            patience: configuration.workerPatience, drainTimeout: configuration.server.drainTimeout, loop: group.any(),
            logger: logger)
    }

    public var address: SocketAddress { server.address }
    /// Where health alone is served; nil: nowhere.
    public var probesAddress: SocketAddress? { server.probesAddress }

    /// Serves until cancelled, or until a worker is lost; then drains within the server's `drainTimeout`. A worker that
    /// does not come back from its work within `lastPatience` after it is left behind.
    /// - Throws: `NodeError` if a worker did not come back: only a new process has all of them again.
    public func run() async throws {
        let outcome: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await self.serve() }
                tasks.addTask { try await self.watchWorkers() }
                // Whichever ends first ends the other.
                while try await tasks.next() != nil { tasks.cancelAll() }
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        // The workers outlive the server: what drains needs them.
        callWorkersBack()
        await workers.stop()
        lastCall.withLock { $0.timer?.cancel() }
        try outcome.get()
        let left = workers.leftBehind
        guard left.isEmpty else {
            let names = left.map { "\($0)" }.joined(separator: ", ")
            throw NodeError(
                "worker \(names) has not come back from its work within the drain timeout of \(drainTimeout)")
        }
    }

    /// For a worker to come back in, when the server has cancelled what ran.
    private static let lastPatience = TimeAmount.milliseconds(500)

    /// Workers that have not come back when the drain is over are left behind. Their calls are answered then: before, the
    /// server would wait for them.
    private func callWorkersBack() {
        lastCall.withLock { last in
            guard last.timer == nil else { return }
            last.timer = loop.scheduleTask(in: TimeAmount(drainTimeout) + Self.lastPatience) { [self] in
                workers.abandonAll()
            }
        }
    }

    private func serve() async throws {
        try await withTaskCancellationHandler {
            try await server.run()
        } onCancel: {
            logger.info("draining")
            callWorkersBack()
            for name in healthNames { server.health.set(.notServing, for: name) }
        }
    }

    /// Looks at a worker that is still at the same work before it is lost.
    private static let looks = 20

    /// Until a worker is lost, or the task is cancelled.
    private func watchWorkers() async throws {
        var watch = WorkerWatch(looks: Self.looks)
        while (try? await Task.sleep(for: patience / Self.looks)) != nil {
            guard let (worker, batch) = watch.look(at: workers.inHand), workers.abandon(worker, batch: batch) else {
                continue
            }
            throw NodeError("worker \(worker) has not come back from its work for \(patience)")
        }
    }
}

extension Batcher {
    fileprivate init(_ configuration: NodeConfiguration) {
        self.init(
            maxBatchSize: configuration.maxBatchSize, preferredBatchSizes: configuration.preferredBatchSizes,
            maxQueueDelay: TimeAmount(configuration.maxQueueDelay))
    }
}
