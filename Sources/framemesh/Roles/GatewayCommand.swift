import ArgumentParser
import Client
import Foundation
import Gateway
import Jobs
import Logging
import Mesh
import NIOPosix
import Outbound
import RPC
import Results

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Run a gateway: HTTP, and a page, in front of a mesh.",
        discussion: """
            Listens on 127.0.0.1:8080 and calls the coordinator at 127.0.0.1:8500, unless told otherwise. It starts \
            without a coordinator, and says so at /readyz until there is one. Prints `ready HOST:PORT` once it serves. \
            SIGTERM or Ctrl-C lets running requests finish.
            Without --tokens everybody who reaches the port may have pictures analysed, and only this machine sees \
            nodes, models and metrics.

            Examples:
              framemesh gateway
              framemesh gateway --listen 0.0.0.0:8443 --tokens tokens \\
                --tls-certificate tls.crt --tls-key tls.key \\
                --coordinator dns:///coordinators.vision.svc:8500
            """)

    @Option(help: ArgumentHelp("Where to listen; port 0 is any free one.", valueName: "host:port|unix:path"))
    var listen: String?

    @Option(help: ArgumentHelp("The coordinators (default: 127.0.0.1:8500).", valueName: "target"))
    var coordinator: String?

    @Option(
        help: ArgumentHelp(
            "Folder for what is kept (default: framemesh/gateway in the user's folder for state).",
            valueName: "folder"))
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Where the jobs of videos are kept: sqlite (in --data), or postgres://USER:PASSWORD@HOST/NAME for several "
                + "gateways, which then share --data too.", valueName: "database"))
    var database: String?

    @Option(
        help: ArgumentHelp(
            "Who may call: digests of bearer tokens with the scopes analyze and admin; read again when it changes.",
            valueName: "file"))
    var tokens: String?

    @Option(
        help: ArgumentHelp(
            "Origins whose pages may call, such as https://shop.example (default: none).",
            valueName: "origin[,origin…]"))
    var corsOrigin: String?

    @Option(
        help: ArgumentHelp(
            "Names by which the gateway is called; requests for others are refused (default: localhost, on loopback).",
            valueName: "name[,name…]"))
    var hostName: String?

    @Option(
        help: ArgumentHelp(
            "Which live sources may be called by URL: host patterns, address ranges (default: none).",
            valueName: "rule[,rule…]"))
    var streamAllow: String?

    @Option(
        help: ArgumentHelp(
            "Authorities that may vouch for live sources with TLS, PEM (default: those of the system).",
            valueName: "file"))
    var streamAuthorities: String?

    @Option(
        help: ArgumentHelp("Folder whose video files may be live sources (default: none).", valueName: "folder"))
    var cameraFolder: String?

    @Option(
        help: ArgumentHelp(
            "Which receivers of webhooks may be called: host patterns, address ranges (default: none).",
            valueName: "rule[,rule…]"))
    var webhookAllow: String?

    @Option(
        help: ArgumentHelp("A secret by which webhooks are signed (default: they are not).", valueName: "file"))
    var webhookSecretFile: String?

    @Option(
        help: ArgumentHelp("Seconds that running requests have to finish in at the end (default: 10).", valueName: "s"))
    var drainTimeout: Double?

    @OptionGroup var metrics: MetricsOption
    @OptionGroup(title: "Traces") var traces: TraceOptions
    @OptionGroup(title: "TLS") var tls: ServerTLSOptions
    @OptionGroup(title: "Calls of coordinators") var calls: CoordinatorSecurityOptions
    @OptionGroup var limitOptions: GatewayLimitOptions
    @OptionGroup var coordinatorLimits: CoordinatorLimitOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var checking: CheckConfigOption
    @OptionGroup var parent: ParentWatch

    func run() async throws {
        try parent.start()
        let settings = try await common.settings()
        let log = try common.log("gateway", settings)
        let logger = log.logger
        let (configuration, listen) = try configuration(settings, logger: logger)
        let metricsPlace = tls.isPlainText ? nil : try metrics.place(.gatewayMetricsListen, settings)
        let plan = try traces.plan("gateway", settings)
        if checking.isOn { return try report(configuration, metricsPlace, plan) }
        MetricsPlace.begin(configuration.metrics, of: "gateway", at: metricsPlace, always: true)
        // First, so that nobody is served by a role that ends at once.
        try await Role.telling(log, configuration.metrics, at: metricsPlace, plan) { tracer in
            var configuration = configuration
            configuration.tracer = tracer
            let gateway: GatewayServer
            do {
                gateway = try await GatewayServer.start(
                    configuration, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
            } catch {
                throw listen.failure(error)
            }
            for warning in configuration.warnings(listeningAt: gateway.address) {
                logger.warning("\(warning)", metadata: ["listen": "\(gateway.address.endpointName)"])
            }
            try await Role.serve(at: gateway.address) { try await gateway.run() }
        }
    }

    /// `--check-config`.
    private func report(_ configuration: GatewayConfiguration, _ metrics: MetricsPlace?, _ plan: TracePlan?) throws {
        try checking.report("gateway") { json in
            json.field("listen", "\(configuration.listen)")
            json.ports(health: nil, metrics: metrics)
            json.traces(plan)
            json.field("tls", configuration.tls)
            json.field("coordinator", "\(configuration.coordinators)")
            json.field("calls_tls", configuration.calling.channel.client.tls != nil)
            json.field("data", configuration.data)
            json.field("database", configuration.database.name)
            json.field("has_tokens", configuration.hasCredentials)
            json.field("drain_seconds", configuration.drainTimeout)
        }
    }

    /// Also sets the limits of the process.
    /// - Throws: `Fatal` that says all that is wrong with it.
    func configuration(_ settings: Settings, logger: Logger) throws -> (GatewayConfiguration, ListenAddress) {
        var objections = Objections()
        var place = try ListenAddress(parsing: "127.0.0.1:8080")
        objections.take {
            place = try settings.parsed(listen, .gatewayListen) { try ListenAddress(parsing: $0) } ?? place
        }
        var target = try Target(parsing: CoordinatorOption.fallback)
        objections.take {
            target = try settings.parsed(coordinator, .gatewayCoordinator) { try Target(parsing: $0) } ?? target
        }
        var configuration = GatewayConfiguration(
            listen: place.address, coordinators: target, page: try Resources.page,
            apiDescription: try Resources.apiDescription,
            data: data ?? settings.string(.gatewayData) ?? Resources.gatewayData(ProcessInfo.processInfo.environment))
        configuration.build = Framemesh.version
        configuration.videoHelper = try Resources.videoHelper
        objections.take { configuration.database = try database(settings) }
        objections.take {
            let calling = try coordinatorLimits.limits(settings)
            calling.process.apply()
            configuration.calling = calling.client
        }
        objections.take { configuration.calling.channel.dns.servers = try common.dns.servers(settings) }
        objections.take { configuration.limits = try limitOptions.limits(settings) }
        configuration.origins = Self.list(corsOrigin ?? settings.string(.gatewayCORSOrigin))
        configuration.hosts = Set(Self.list(hostName ?? settings.string(.gatewayHostName)).map { $0.lowercased() })
        let dns = configuration.calling.channel.dns
        func rule(_ flag: String?, _ key: Settings.Key) throws -> OutboundRule {
            try settings.parsed(flag, key) { try OutboundRule(allow: Self.list($0).sorted(), dns: dns) } ?? .nobody
        }
        objections.take { configuration.streamAllow = try rule(streamAllow, .gatewayStreamAllow) }
        objections.take { configuration.webhookAllow = try rule(webhookAllow, .gatewayWebhookAllow) }
        configuration.streamAuthorities = streamAuthorities ?? settings.string(.gatewayStreamAuthorities)
        configuration.cameraFolder = cameraFolder ?? settings.string(.gatewayCameraFolder)
        objections.take {
            configuration.webhookSecret = try (webhookSecretFile ?? settings.string(.gatewayWebhookSecretFile)).map(
                Self.secret)
        }
        objections.take {
            configuration.drainTimeout = try settings.seconds(drainTimeout, .gatewayDrainTimeout, default: 10)
        }
        if !tls.isPlainText { secure(&configuration, settings, logger, &objections) }
        objections.add(configuration.objections())
        if checking.isOn { objections.add(configuration.objectionsToFiles()) }
        try objections.check()
        return (configuration, place)
    }

    private func database(_ settings: Settings) throws(Fatal) -> JobDatabase {
        guard let text = database ?? settings.string(.gatewayDatabase) else { return .sqlite }
        // Not named in the error: it may hold a password.
        guard let database = JobDatabase(text) else {
            throw Fatal("the database is sqlite or postgres://…", status: .usage)
        }
        return database
    }

    private func secure(
        _ configuration: inout GatewayConfiguration, _ settings: Settings, _ logger: Logger,
        _ objections: inout Objections
    ) {
        func naming<Value>(_ body: () throws -> Value) throws -> Value { try settings.naming(oneOf: "gateway", body) }
        objections.take { configuration.tls = try naming { try tls.tls("gateway", settings) } }
        objections.take {
            let calls = try calls.security(settings)
            configuration.calling.channel.client.tls = try naming { try calls.clientTLS() }
            configuration.calling.channel.interceptors = try naming { try calls.interceptors() }
        }
        let file = tokens ?? settings.string(.gatewayTokens)
        let lines = settings.string(.gatewayTokenLines)
        if file != nil, lines != nil {
            objections.add(["gateway.tokens and gateway.token-lines both say who may call"])
        }
        objections.take {
            configuration.credentialsFile = try naming {
                try file.map { try Self.usage(CredentialsFile($0, logger: logger)) }
            }
        }
        objections.take {
            configuration.credentials = try naming { try lines.map { try Self.usage(Credentials(text: $0)) } }
        }
    }

    private static func usage<Value>(_ body: @autoclosure () throws -> Value) throws(Fatal) -> Value {
        do { return try body() } catch { throw Fatal(Fatal(error).message, status: .usage) }
    }

    /// The first line of a file.
    private static func secret(_ path: String) throws(Fatal) -> String {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        guard let line = text.split(whereSeparator: \.isNewline).first else {
            throw Fatal("there is no secret in \(path)", status: .usage)
        }
        return String(line)
    }

    private static func list(_ text: String?) -> Set<String> {
        Set((text ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }).subtracting([""])
    }
}
