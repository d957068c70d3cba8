public import Logging
import Mesh
import Metrics
public import NIOCore
public import RPC
import Services
import Telemetry
import Traces

/// Takes frames from clients, fans them out to nodes, merges, tracks, answers in order.
public final class Coordinator: Sendable {
    private let server: RoleServer
    private let channels: [BalancedChannel]
    private let drain: DrainFlag
    private let logger: Logger

    /// Binds the port; nodes are looked for once `run()` is called.
    /// - Parameter budget: for the frames that are here.
    public static func start(
        _ configuration: CoordinatorConfiguration, budget: MemoryBudget = .shared, group: any EventLoopGroup,
        logger: Logger
    ) async throws -> Coordinator {
        var calling = configuration.channel
        calling.probe = .node
        calling.isLastHop = true
        if let tracer = configuration.tracer { calling.interceptors.insert(ClientTraces(tracer), at: 0) }
        func channel(_ target: Target?, _ service: String) -> BalancedChannel? {
            target.map {
                BalancedChannel(
                    target: $0, healthService: ServiceName.health(service, cluster: configuration.cluster),
                    configuration: calling, group: group, logger: logger)
            }
        }
        let detectors = channel(configuration.detectors, ServiceName.detector)
        let classifiers = channel(configuration.classifiers, ServiceName.classifier)
        let nodes = channel(configuration.nodes, ServiceName.fused)
        let drain = DrainFlag()
        let handler = CoordinatorHandler(
            configuration: configuration, detectors: detectors, classifiers: classifiers, bothStages: nodes,
            refusals: FusionRefusals(length: configuration.fusionPause, logger: logger), drain: drain,
            metrics: CoordinatorMetrics(
                pipelines: configuration.pipelines.map(\.name),
                factory: configuration.metrics ?? MetricsSystem.factory),
            log: FrameLog(logger: logger))
        if let metrics = configuration.metrics {
            detectors?.show(in: metrics, stage: "detect")
            classifiers?.show(in: metrics, stage: "classify")
            nodes?.show(in: metrics, stage: "detect+classify")
        }
        let bound = try await RoleServer.bind(
            "coordinator", [VisionService(handler, version: configuration.build)], to: configuration.listen,
            configuration.server,
            access: configuration.access, probes: configuration.probes,
            tracing: configuration.tracer.map { ServerTraces($0, beginningAt: [MethodPath.analyze]) },
            metrics: configuration.metrics ?? MetricsSystem.factory, budget: budget, group: group, logger: logger)
        return Coordinator(
            server: bound, channels: [detectors, classifiers, nodes].compactMap { $0 }, drain: drain, logger: logger)
    }

    private init(
        server: RoleServer, channels: [BalancedChannel], drain: DrainFlag, logger: Logger
    ) {
        self.server = server
        self.channels = channels
        self.drain = drain
        self.logger = logger
    }

    public var address: SocketAddress { server.address }
    /// Where health alone is served; nil: nowhere.
    public var probesAddress: SocketAddress? { server.probesAddress }

    /// Serves until cancelled; then finishes what runs, within the server's `drainTimeout`.
    public func run() async throws {
        server.health.set(.serving)
        server.health.set(.serving, for: ServiceName.vision)
        // The channels outlive the server: what drains still needs nodes.
        let work = Task { [channels] in
            await withDiscardingTaskGroup { tasks in
                for channel in channels { tasks.addTask { await channel.run() } }
            }
        }
        defer { work.cancel() }
        try await withTaskCancellationHandler {
            try await server.run()
        } onCancel: {
            drain.begin()
            server.health.set(.notServing)
            server.health.set(.notServing, for: ServiceName.vision)
        }
    }
}
