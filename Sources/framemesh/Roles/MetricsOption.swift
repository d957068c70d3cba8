import ArgumentParser
import Logging
import Metrics
import NIOCore
import NIOPosix
import RPC
import Telemetry

/// Where a role tells Prometheus what it counts.
struct MetricsOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Serve /metrics of Prometheus here, over HTTP, to whoever reaches it (default: nowhere).",
            valueName: "host:port"))
    var metricsListen: String?

    /// nil: nowhere.
    func place(_ key: Settings.Key, _ settings: Settings) throws -> MetricsPlace? {
        try settings.parsed(metricsListen, key) { try MetricsPlace(parsing: $0) }
    }
}

/// HOST:PORT of a server of metrics.
struct MetricsPlace: Sendable, Hashable, CustomStringConvertible {
    let host: String
    let port: Int

    init(parsing text: String) throws(Fatal) {
        switch try ListenAddress(parsing: text).address {
        case .host(let name, let port): self.init(host: name, port: port)
        case .socket(let address):
            guard let ip = address.ipAddress, let port = address.port else {
                throw Fatal("'\(text)' is not HOST:PORT for metrics", status: .usage)
            }
            self.init(host: ip, port: port)
        }
    }

    private init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Makes `metrics` those of the process, if somebody can read them, with what every process shows. To be called once,
    /// before anything counts.
    /// - Parameter always: they are read elsewhere too.
    static func begin(_ metrics: PrometheusMetrics, of role: String, at place: MetricsPlace?, always: Bool = false) {
        guard always || place != nil else { return }
        MetricsSystem.bootstrap(metrics)
        metrics.observeProcess(role: role, version: Framemesh.version)
    }

    /// Serves what `metrics` keeps while `body` runs.
    /// - Throws: `Fatal` if it cannot listen; what `body` throws.
    static func serving<Value: Sendable>(
        _ metrics: PrometheusMetrics, at place: MetricsPlace?,
        _ body: () async throws -> Value
    ) async throws -> Value {
        guard let place else { return try await body() }
        let server: MetricsServer
        do {
            server = try await MetricsServer.start(
                host: place.host, port: place.port, group: MultiThreadedEventLoopGroup.singleton, text: { metrics.text }
            )
        } catch {
            throw Fatal("cannot listen on \(place) for metrics: \(SystemError.text(error))", status: .unreachable)
        }
        do {
            let value = try await body()
            await server.stop()
            return value
        } catch {
            await server.stop()
            throw error
        }
    }
}
