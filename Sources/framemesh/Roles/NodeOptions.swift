import ArgumentParser
import Logging
import NIOCore
import NIOPosix
import Node
import RPC
import Results
import Telemetry
import Vision

/// What all kinds of nodes have in common.
struct NodeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where to listen; port 0 is any free one.", valueName: "host:port|unix:path"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Models to load; the first one of its kind answers requests that name none.", valueName: "name[,name…]"))
    var model: String?

    @Option(help: ArgumentHelp("Threads, each with its own network (default: one a core).", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("Frames that may wait before more are refused (default: 64).", valueName: "n"))
    var queueLimit: Int?

    @Option(help: ArgumentHelp("Frames of one forward pass (default: 1).", valueName: "n"))
    var maxBatchSize: Int?

    @Option(
        help: ArgumentHelp(
            "Sizes of batches that run as soon as there are so many frames (default: the largest one).",
            valueName: "n[,n…]"))
    var preferredBatchSize: String?

    @Option(help: ArgumentHelp("How long a frame may wait for a fuller batch (default: 0).", valueName: "n"))
    var maxQueueDelayMicroseconds: Int?

    @Option(
        help: ArgumentHelp(
            "Take and answer frames in the order in which they came, live or not (default: false).",
            valueName: "true|false"))
    var preserveOrdering: Bool?

    @Option(help: ArgumentHelp("Pixels of the largest picture that is decoded (default: 50000000).", valueName: "n"))
    var maxPixels: Int?

    @Option(help: ArgumentHelp("Longest side of a picture that is decoded (default: 16384).", valueName: "n"))
    var maxSide: Int?

    @Option(help: ArgumentHelp("Seconds that running work has to finish in at the end (default: 30).", valueName: "s"))
    var drainTimeout: Double?

    @OptionGroup var engine: EngineOption

    @Option(
        help: ArgumentHelp(
            "For measurements: no network is run; each pass waits for so long and finds nothing.", valueName: "ms"))
    var simulateMs: Double?

    @OptionGroup var place: PlaceOptions
    @OptionGroup(title: "TLS and access") var security: ServerSecurityOptions
    @OptionGroup(title: "For those who watch over it") var ports: PortOptions
    @OptionGroup(title: "Traces") var traces: TraceOptions
    @OptionGroup var limitOptions: RoleLimitOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var checking: CheckConfigOption
    @OptionGroup var parent: ParentWatch

    /// Serves until told to end.
    func run(as role: NodeRole) async throws {
        try parent.start()
        let settings = try await common.settings()
        let log = try common.log(role.rawValue, settings)
        let logger = log.logger
        let (configuration, listen) = try self.configuration(role, settings, logger: logger)
        let metricsPlace = try metricsPlace(role, settings)
        let plan = try traces.plan(role.rawValue, settings)
        if checking.isOn { return try report(configuration, metricsPlace, plan) }
        let metrics = PrometheusMetrics()
        MetricsPlace.begin(metrics, of: role.rawValue, at: metricsPlace)
        // First, so that nobody is served by a role that ends at once.
        try await Role.telling(log, metrics, at: metricsPlace, plan) { tracer in
            var configuration = configuration
            if metricsPlace != nil { configuration.metrics = metrics }
            configuration.tracer = tracer
            let server: NodeServer
            do {
                server = try await NodeServer.start(
                    configuration, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
            } catch {
                throw listen.failure(error)
            }
            try await Role.serve(at: server.address) { try await server.run() }
        }
    }

    private func metricsPlace(_ role: NodeRole, _ settings: Settings) throws -> MetricsPlace? {
        security.isPlainText ? nil : try ports.metrics.place(NodeKeys(role).metricsListen, settings)
    }

    /// `--check-config`.
    private func report(_ configuration: NodeConfiguration, _ metrics: MetricsPlace?, _ plan: TracePlan?) throws {
        try checking.report(configuration.role.rawValue) { json in
            try configuration.check()
            json.field("listen", "\(configuration.listen)")
            json.ports(health: configuration.probes, metrics: metrics)
            json.traces(plan)
            json.field("tls", configuration.server.tls)
            json.array("models", configuration.models) { $0.value($1.name) }
            json.field("engine", configuration.engineName)
            json.field("workers", configuration.workers)
            json.place(zone: configuration.zone, cluster: configuration.cluster)
            json.field("drain_seconds", configuration.server.drainTimeout)
        }
    }

    /// Also sets the limits of the process.
    func configuration(
        _ role: NodeRole, _ settings: Settings, logger: Logger
    ) throws -> (NodeConfiguration, ListenAddress) {
        let keys = NodeKeys(role)
        let listen =
            try settings.parsed(listen, keys.listen) { try ListenAddress(parsing: $0) }
            ?? ListenAddress(parsing: keys.defaultListen)
        let store = try Resources.store()
        let models =
            try settings.parsed(model, keys.model) { try Self.models($0, of: store, for: role) }
            ?? Self.models(keys.defaultModel, of: store, for: role)
        var configuration = NodeConfiguration(role: role, store: store, models: models)
        configuration.listen = listen.address
        if !security.isPlainText { configuration.probes = try ports.health(keys.healthListen, settings) }
        let limits = try limitOptions.limits(settings)
        limits.process.apply()
        configuration.server = limits.server
        try settings.naming(oneOf: role.rawValue) {
            configuration.server.tls = try security.tls(role.rawValue, settings)
            configuration.access = try security.access(role.rawValue, settings, logger: logger)
        }
        configuration.engine = try engine.engine(keys.engine, settings)
        if let time = try simulatedTime() { configuration.simulate(time) }
        configuration.workers = try settings.number(
            workers, keys.workers, default: min(ProcessorCount.usable, NodeConfiguration.maxWorkers),
            in: 1...NodeConfiguration.maxWorkers)
        configuration.queueLimit = try settings.number(queueLimit, keys.queueLimit, default: 64, in: 1...1_000_000)
        configuration.maxBatchSize = try settings.number(
            maxBatchSize, keys.maxBatchSize, default: 1, in: 1...Model.batchSizeLimit)
        configuration.preferredBatchSizes =
            try settings.parsed(preferredBatchSize, keys.preferredBatchSize) {
                try Self.sizes($0, upTo: configuration.maxBatchSize)
            } ?? []
        configuration.preservesOrder = try preserveOrdering ?? settings.value(keys.preserveOrdering) ?? false
        configuration.maxQueueDelay = .microseconds(
            try settings.number(maxQueueDelayMicroseconds, keys.maxQueueDelay, default: 0, in: 0...10_000_000))
        configuration.imageLimits = try imageLimits(keys, settings)
        configuration.server.drainTimeout = try settings.seconds(drainTimeout, keys.drainTimeout, default: 30)
        configuration.build = Framemesh.version
        configuration.zone = try place.zone(settings)
        configuration.cluster = try place.cluster(settings)
        // A node looks nothing up; what is wrong with the setting is said all the same.
        _ = try common.dns.servers(settings)
        return (configuration, listen)
    }

    /// - Throws: naming what is no size of a batch.
    private static func sizes(_ text: String, upTo most: Int) throws -> [Int] {
        try text.split(separator: ",").map { part in
            guard let size = Int(part), (1...most).contains(size) else {
                throw Fatal("'\(part)' is no batch size, it must be 1 to \(most) (--max-batch-size)", status: .usage)
            }
            return size
        }
    }

    private func simulatedTime() throws(Fatal) -> Duration? {
        guard let simulateMs else { return nil }
        guard engine.engine == nil else { throw Fatal("--simulate-ms and --engine exclude each other", status: .usage) }
        let most = NodeConfiguration.maxSimulatedTime / .milliseconds(1)
        guard (0...most).contains(simulateMs) else {
            throw Fatal("--simulate-ms \(simulateMs) is not between 0 and \(most)", status: .usage)
        }
        return .milliseconds(simulateMs)
    }

    /// - Throws: naming what is no model, or one of another task.
    private static func models(_ text: String, of store: ModelStore, for role: NodeRole) throws -> [ModelManifest] {
        let models = try text.split(separator: ",").map { try store.manifest(named: String($0)) }
        guard !models.isEmpty else { throw Fatal("no model is named", status: .usage) }
        if let objection = role.objection(to: models) { throw Fatal(objection, status: .usage) }
        return models
    }

    private func imageLimits(_ keys: NodeKeys, _ settings: Settings) throws -> ImageLimits {
        var limits = ImageLimits()
        limits.maxPixels = try settings.number(
            maxPixels, keys.maxPixels, default: limits.maxPixels, in: ImageLimits.pixelBounds)
        limits.maxSide = try settings.number(maxSide, keys.maxSide, default: limits.maxSide, in: ImageLimits.sideBounds)
        return limits
    }
}

/// The settings of one of these roles.
private struct NodeKeys {
    var listen, model, engine, workers, queueLimit, maxBatchSize, maxQueueDelay: Settings.Key
    var preferredBatchSize, preserveOrdering: Settings.Key
    var maxPixels, maxSide, drainTimeout, healthListen, metricsListen: Settings.Key
    var defaultListen: String
    var defaultModel: String

    init(_ role: NodeRole) {
        switch role {
        case .detector:
            (listen, model, workers) = (.detectorListen, .detectorModel, .detectorWorkers)
            engine = .detectorEngine
            (queueLimit, maxBatchSize) = (.detectorQueueLimit, .detectorMaxBatchSize)
            (preferredBatchSize, preserveOrdering) = (.detectorPreferredBatchSize, .detectorPreserveOrdering)
            (maxPixels, maxSide) = (.detectorMaxPixels, .detectorMaxSide)
            (maxQueueDelay, drainTimeout) = (.detectorMaxQueueDelay, .detectorDrainTimeout)
            (healthListen, metricsListen) = (.detectorHealthListen, .detectorMetricsListen)
            (defaultListen, defaultModel) = ("127.0.0.1:8501", BundledModel.detector)
        case .classifier:
            (listen, model, workers) = (.classifierListen, .classifierModel, .classifierWorkers)
            engine = .classifierEngine
            (queueLimit, maxBatchSize) = (.classifierQueueLimit, .classifierMaxBatchSize)
            (preferredBatchSize, preserveOrdering) = (.classifierPreferredBatchSize, .classifierPreserveOrdering)
            (maxPixels, maxSide) = (.classifierMaxPixels, .classifierMaxSide)
            (maxQueueDelay, drainTimeout) = (.classifierMaxQueueDelay, .classifierDrainTimeout)
            (healthListen, metricsListen) = (.classifierHealthListen, .classifierMetricsListen)
            (defaultListen, defaultModel) = ("127.0.0.1:8502", BundledModel.classifier)
        case .node:
            (listen, model, workers) = (.nodeListen, .nodeModel, .nodeWorkers)
            engine = .nodeEngine
            (queueLimit, maxBatchSize) = (.nodeQueueLimit, .nodeMaxBatchSize)
            (preferredBatchSize, preserveOrdering) = (.nodePreferredBatchSize, .nodePreserveOrdering)
            (maxPixels, maxSide) = (.nodeMaxPixels, .nodeMaxSide)
            (maxQueueDelay, drainTimeout) = (.nodeMaxQueueDelay, .nodeDrainTimeout)
            (healthListen, metricsListen) = (.nodeHealthListen, .nodeMetricsListen)
            (defaultListen, defaultModel) = ("127.0.0.1:8503", BundledModel.both)
        }
    }
}
