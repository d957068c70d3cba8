import ArgumentParser
import Logging
import Mesh
import NIOCore
import Node
import Telemetry
import Vision

struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a whole mesh on this machine.",
        discussion: """
            Starts a coordinator, nodes and a gateway as processes of their own, and prints \
            `ready coordinator=HOST:PORT` and `ready gateway=http://HOST:PORT` once all of them are ready; the latter is \
            the address of the page. A part that dies is started again. SIGTERM, SIGHUP or Ctrl-C ends all of them, running \
            work first.
            The mesh is for this machine: plain text on loopback, whatever the configuration says of TLS and access.

            Examples:
              framemesh up
              framemesh up --nodes 1
              framemesh up --coordinator-port 0 --detectors 4 --classifiers 0 \\
                --detect-model yolo-fastest-1.1
            """)

    @Option(help: ArgumentHelp("Port of the coordinator; 0 is any free one (default: 8500).", valueName: "port"))
    var coordinatorPort: Int?

    @Option(
        help: ArgumentHelp(
            "Port of the gateway; 0 is any free one (default: 8080, or any free one if that is taken).",
            valueName: "port"))
    var gatewayPort: Int?

    @Flag(name: .customLong("no-gateway"), help: "No gateway: there is no HTTP.")
    var hasNoGateway = false

    @Option(
        help: ArgumentHelp(
            "Folder for what the gateway keeps (default: that of framemesh gateway).", valueName: "folder"))
    var gatewayData: String?

    @Option(help: ArgumentHelp("Detection nodes (default: 2, with --nodes none).", valueName: "n"), transform: Up.count)
    var detectors: Int?

    @Option(
        help: ArgumentHelp("Classification nodes (default: 1, with --nodes none).", valueName: "n"), transform: Up.count
    )
    var classifiers: Int?

    @Option(
        help: ArgumentHelp("Nodes that do both, in place of the others (default: 0).", valueName: "n"),
        transform: Up.count)
    var nodes: Int?

    @Option(help: ArgumentHelp("Models of the detectors (default: digits-detector).", valueName: "name[,name…]"))
    var detectModel: String?

    @Option(help: ArgumentHelp("Models of the classifiers (default: digits-classifier).", valueName: "name[,name…]"))
    var classifyModel: String?

    @OptionGroup var engine: EngineOption

    @Option(help: ArgumentHelp("Threads of each node (default: its role's share of the cores).", valueName: "n"))
    var workers: Int?

    @Option(help: ArgumentHelp("Pixels of the largest picture that is decoded (default: 50000000).", valueName: "n"))
    var maxPixels: Int?

    @Option(help: ArgumentHelp("Longest side of a picture that is decoded (default: 16384).", valueName: "n"))
    var maxSide: Int?

    @Option(help: ArgumentHelp("Seconds that running work has to finish in at the end (default: 5).", valueName: "s"))
    var drainTimeout: Double?

    @OptionGroup var limitOptions: RoleLimitOptions
    @OptionGroup var nodeLimits: NodeLimitOptions
    @OptionGroup(title: "Traces") var traces: TraceOptions
    @OptionGroup var common: CommonOptions

    static let defaultGatewayPort = 8080
    private static let counts = 0...MeshPlan.maxNodes

    /// Of nodes, for which a coordinator takes `none`.
    /// - Throws: `ValidationError` unless it is a number.
    @Sendable private static func count(_ text: String) throws -> Int {
        guard let count = Int(text) else {
            throw ValidationError("it must be \(counts.lowerBound) to \(counts.upperBound), and 0 is none")
        }
        return count
    }

    func run() async throws {
        let settings = try await common.settings()
        var plan = try plan(settings)
        try await FreePort.check(plan.coordinatorPort)
        if let port = plan.gatewayPort {
            do {
                try await FreePort.check(port)
            } catch {
                guard try chosenGatewayPort(settings) == nil else { throw error }
                plan.gatewayPort = 0
            }
        }
        try await run(plan)
    }

    private func chosenGatewayPort(_ settings: Settings) throws -> Int? {
        try settings.number(gatewayPort, .upGatewayPort, in: 0...65535)
    }

    private func run(_ plan: MeshPlan) async throws {
        try await Interrupts.run {
            do {
                try await LocalMesh.with(plan, say: Framemesh.log) { addresses in
                    var lines = "ready coordinator=\(addresses.coordinator)"
                    if let gateway = addresses.gateway { lines += "\nready gateway=http://\(gateway)" }
                    try Console().print(lines)
                    await Interrupts.wait()
                }
            } catch is CancellationError {
                // Told to end before it was ready.
            }
        }
    }

    func plan(_ settings: Settings) throws -> MeshPlan {
        var plan = MeshPlan()
        plan.coordinatorPort = try settings.number(coordinatorPort, .upCoordinatorPort, default: 8500, in: 0...65535)
        plan.gatewayPort = hasNoGateway ? nil : try chosenGatewayPort(settings) ?? Self.defaultGatewayPort
        plan.gatewayData = gatewayData
        plan.both = try settings.number(nodes, .upNodes, default: 0, in: Self.counts)
        let apart = plan.both > 0 ? (0, 0) : (plan.detectors, plan.classifiers)
        plan.detectors = try settings.number(detectors, .upDetectors, default: apart.0, in: Self.counts)
        plan.classifiers = try settings.number(classifiers, .upClassifiers, default: apart.1, in: Self.counts)
        try plan.checkNodes()
        plan.detectModel = detectModel ?? settings.string(.upDetectModel)
        plan.classifyModel = classifyModel ?? settings.string(.upClassifyModel)
        plan.engine = try engine.explicit(.upEngine, settings)
        plan.cores = ProcessorCount.usable
        plan.workers = try settings.number(workers, .upWorkers, in: 1...NodeConfiguration.maxWorkers)
        plan.maxPixels = try settings.number(maxPixels, .upMaxPixels, in: ImageLimits.pixelBounds)
        plan.maxSide = try settings.number(maxSide, .upMaxSide, in: ImageLimits.sideBounds)
        plan.drainTimeout = try settings.number(drainTimeout, .upDrainTimeout, default: 5, in: 0...Settings.maxSeconds)
        // What is wrong with them is said once, here.
        _ = try limitOptions.limits(settings)
        var channel = ChannelConfiguration()
        try nodeLimits.set(in: &channel, settings)
        plan.limits = limitOptions.limits
        plan.nodeLimits = nodeLimits.limits
        _ = try common.dns.servers(settings)
        plan.dnsServer = common.dns.dnsServer
        plan.config = common.config
        plan.logLevel = common.logLevel?.rawValue
        plan.logFormat = common.logFormat?.rawValue
        _ = try traces.plan("up", settings)
        plan.traceEndpoint = traces.traceEndpoint
        plan.traceRatio = traces.traceRatio
        plan.traceLimits = traces.traceLimits
        return plan
    }
}
