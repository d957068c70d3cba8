import ArgumentParser
import Coordination
import Logging
import Mesh
import NIOPosix
import RPC
import Results
import Telemetry

struct CoordinatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coordinator",
        abstract: "Run a coordinator: it takes frames and fans them out to nodes.",
        discussion: """
            Listens on 127.0.0.1:8500 unless told otherwise. TARGET is dns:///name:port, srv:///name, \
            static:///a:1,b:2 or unix:///PATH; a bare HOST:PORT means dns:///, a bare list static:///, and `none` leaves \
            that kind of node out. Prints `ready HOST:PORT` once it serves. SIGTERM or Ctrl-C lets running work finish.

            Examples:
              framemesh coordinator --detectors 127.0.0.1:8501 --classifiers 127.0.0.1:8502
              framemesh coordinator --listen 0.0.0.0:8500 \\
                --detectors dns:///detectors.vision.svc:8501
              framemesh coordinator --nodes 127.0.0.1:8503
              framemesh coordinator --tls-certificate tls.crt --tls-key tls.key \\
                --tls-client-ca ca.crt --credentials callers --node-tls-ca ca.crt \\
                --node-token-file token --detectors node-1:8501
            """)

    @Option(help: ArgumentHelp("Where to listen; port 0 is any free one.", valueName: "host:port|unix:path"))
    var listen: String?

    @Option(help: ArgumentHelp("The detection nodes.", valueName: "target"))
    var detectors: String?

    @Option(help: ArgumentHelp("The classification nodes.", valueName: "target"))
    var classifiers: String?

    @Option(
        help: ArgumentHelp(
            "Nodes that do both (framemesh node): frames that need both go there in one call.", valueName: "target"))
    var nodes: String?

    @Option(help: ArgumentHelp("Model to detect with (default: the first of each node).", valueName: "name"))
    var detectModel: String?

    @Option(help: ArgumentHelp("Model to classify with (default: the first of each node).", valueName: "name"))
    var classifyModel: String?

    @Option(help: ArgumentHelp("Seconds for a frame that names no deadline (default: 30).", valueName: "s"))
    var frameDeadline: Double?

    @Option(help: ArgumentHelp("Attempts of one stage of a frame, the first included (default: 4).", valueName: "n"))
    var maxAttempts: Int?

    @Option(help: ArgumentHelp("Seconds that running work has to finish in at the end (default: 30).", valueName: "s"))
    var drainTimeout: Double?

    @OptionGroup var place: PlaceOptions
    @OptionGroup(title: "TLS and access") var security: ServerSecurityOptions
    @OptionGroup(title: "Calls of nodes") var nodeSecurity: NodeSecurityOptions
    @OptionGroup(title: "For those who watch over it") var ports: PortOptions
    @OptionGroup(title: "Traces") var traces: TraceOptions
    @OptionGroup var limitOptions: RoleLimitOptions
    @OptionGroup var nodeLimits: NodeLimitOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var checking: CheckConfigOption
    @OptionGroup var parent: ParentWatch

    func run() async throws {
        try parent.start()
        let settings = try await common.settings()
        let log = try common.log("coordinator", settings)
        let logger = log.logger
        let (configuration, listen) = try self.configuration(settings, logger: logger)
        let plan = try traces.plan("coordinator", settings)
        let metricsPlace = security.isPlainText ? nil : try ports.metrics.place(.coordinatorMetricsListen, settings)
        if checking.isOn { return try report(configuration, metricsPlace, plan) }
        let metrics = PrometheusMetrics()
        MetricsPlace.begin(metrics, of: "coordinator", at: metricsPlace)
        let warnings = unnamed(settings).warnings(configuration.pipelines)
        // First, so that nobody is served by a role that ends at once.
        try await Role.telling(log, metrics, at: metricsPlace, plan) { tracer in
            var configuration = configuration
            if metricsPlace != nil { configuration.metrics = metrics }
            configuration.tracer = tracer
            let coordinator: Coordinator
            do {
                coordinator = try await Coordinator.start(
                    configuration, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
            } catch {
                throw listen.failure(error)
            }
            for warning in warnings { logger.warning("\(warning)") }
            try await Role.serve(at: coordinator.address) { try await coordinator.run() }
        }
    }

    /// `--check-config`.
    private func report(_ configuration: CoordinatorConfiguration, _ metrics: MetricsPlace?, _ plan: TracePlan?) throws
    {
        try checking.report("coordinator") { json in
            json.field("listen", "\(configuration.listen)")
            json.ports(health: configuration.probes, metrics: metrics)
            json.traces(plan)
            json.field("tls", configuration.server.tls)
            if let detectors = configuration.detectors { json.field("detectors", "\(detectors)") }
            if let classifiers = configuration.classifiers { json.field("classifiers", "\(classifiers)") }
            if let nodes = configuration.nodes { json.field("nodes", "\(nodes)") }
            json.field("calls_tls", configuration.channel.client.tls != nil)
            json.array("pipelines", configuration.pipelines) { $0.value($1.name) }
            json.place(zone: configuration.channel.balancing.zone, cluster: configuration.cluster)
            json.field("drain_seconds", configuration.server.drainTimeout)
        }
    }

    /// Kinds of nodes of which nothing is said; `none` says something, and nodes that do both are of each kind.
    private func unnamed(_ settings: Settings) -> UnnamedNodes {
        let named = nodes ?? settings.string(.coordinatorNodes)
        if let named, named != "none" { return UnnamedNodes(detectors: false, classifiers: false) }
        return UnnamedNodes(
            detectors: detectors == nil && settings.string(.coordinatorDetectors) == nil,
            classifiers: classifiers == nil && settings.string(.coordinatorClassifiers) == nil)
    }

    /// Also sets the limits of the process.
    func configuration(_ settings: Settings, logger: Logger) throws -> (CoordinatorConfiguration, ListenAddress) {
        let listen =
            try settings.parsed(listen, .coordinatorListen) { try ListenAddress(parsing: $0) }
            ?? ListenAddress(parsing: "127.0.0.1:8500")
        func target(_ flag: String?, _ key: Settings.Key) throws -> Target? {
            try settings.parsed(flag, key) { $0 == "none" ? nil : try Target(parsing: $0) } ?? nil
        }
        var configuration = CoordinatorConfiguration(
            detectors: try target(detectors, .coordinatorDetectors),
            classifiers: try target(classifiers, .coordinatorClassifiers),
            nodes: try target(nodes, .coordinatorNodes))
        configuration.listen = listen.address
        if !security.isPlainText { configuration.probes = try ports.health(.coordinatorHealthListen, settings) }
        let limits = try limitOptions.limits(settings)
        limits.process.apply()
        configuration.server = limits.server
        try settings.naming(oneOf: "coordinator") {
            configuration.server.tls = try security.tls("coordinator", settings)
            configuration.access = try security.access("coordinator", settings, logger: logger)
        }
        // Nodes are taken to have the same limits.
        configuration.maxPixelBytes = limits.server.maxAttachmentBytes
        configuration.maxMessageBytes = limits.server.maxMessageBytes
        try nodeLimits.set(in: &configuration.channel, settings)
        configuration.channel.balancing.zone = try place.zone(settings)
        configuration.cluster = try place.cluster(settings)
        configuration.build = Framemesh.version
        configuration.channel.dns.servers = try common.dns.servers(settings)
        if !security.isPlainText {
            try settings.naming(oneOf: "coordinator") {
                let nodes = try nodeSecurity.security(settings)
                configuration.channel.client.tls = try nodes.clientTLS()
                configuration.channel.interceptors = try nodes.interceptors()
            }
        }
        configuration.detectModel = detectModel ?? settings.string(.coordinatorDetectModel) ?? ""
        configuration.classifyModel = classifyModel ?? settings.string(.coordinatorClassifyModel) ?? ""
        configuration.pipelines = try settings.pipelines()
        configuration.frameDeadline = try settings.seconds(frameDeadline, .coordinatorFrameDeadline, default: 30)
        configuration.server.drainTimeout = try settings.seconds(drainTimeout, .coordinatorDrainTimeout, default: 30)
        configuration.channel.maxAttempts = try settings.number(
            maxAttempts, .coordinatorMaxAttempts, default: configuration.channel.maxAttempts, in: 1...100)
        return (configuration, listen)
    }
}
