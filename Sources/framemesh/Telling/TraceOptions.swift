import ArgumentParser
import Foundation
import Logging
import Metrics
import NIOPosix
import RPC
import Results
import Traces

/// Where a role sends its traces.
struct TraceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Send traces there, by OTLP over gRPC: http://HOST:PORT, or https:// with TLS "
                + "(default: $OTEL_EXPORTER_OTLP_ENDPOINT, or nowhere).", valueName: "url"))
    var traceEndpoint: String?

    @Option(
        help: ArgumentHelp(
            "How many of the traces that begin here are recorded, 0 to 1; callers' traces are as they say (default: 1).",
            valueName: "ratio"))
    var traceRatio: Double?

    @Option(
        name: .customLong("trace-limit"),
        help: ArgumentHelp("A limit of the export of traces, again for each.", valueName: "name=value"))
    var traceLimits: [String] = []

    /// nil: there are no traces.
    /// - Throws: `Fatal` that names what is wrong.
    func plan(_ role: String, _ settings: Settings) throws -> TracePlan? {
        var limits = TraceLimits()
        try settings.set(TraceLimits.limits, of: .traces, traceLimits, in: &limits)
        let ratio = try settings.number(traceRatio, .traceRatio, default: 1, in: 0...1)
        let told = OpenTelemetryVariables(settings.environment)
        let endpoint = try settings.parsed(traceEndpoint, .traceEndpoint) { text in
            do throws(RPCError) { return try TraceEndpoint(parsing: text) } catch {
                throw Fatal(error.message, status: .usage)
            }
        }
        guard let endpoint = try endpoint ?? told.endpoint() else { return nil }
        return TracePlan(
            endpoint: endpoint, ratio: ratio, limits: limits, service: told.service ?? "framemesh-\(role)",
            headers: told.headers)
    }
}

/// What a role does with traces.
struct TracePlan {
    var endpoint: TraceEndpoint
    var ratio: Double
    var limits: TraceLimits
    /// The name of the service that tells.
    var service: String
    var headers: Metadata

    /// Exports while `body` runs, which gets what makes the spans.
    /// - Parameter plan: nil: there are no traces.
    static func exporting<Value: Sendable>(
        _ plan: TracePlan?, metrics: any MetricsFactory, logger: Logger,
        _ body: (MeshTracer?) async throws -> Value
    ) async throws -> Value {
        guard let plan else { return try await body(nil) }
        let process = ProcessInfo.processInfo
        let exporter = try TraceExporter(
            to: plan.endpoint, ratio: plan.ratio,
            resource: TraceResource(
                service: plan.service, version: Framemesh.version, instance: UUID().uuidString.lowercased(),
                host: process.hostName, process: Int(process.processIdentifier)),
            headers: plan.headers, limits: plan.limits, metrics: metrics, group: MultiThreadedEventLoopGroup.singleton,
            logger: logger)
        return try await exporter.exporting { try await body($0) }
    }
}

extension JSONText {
    mutating func traces(_ plan: TracePlan?) {
        guard let plan else { return }
        field("trace_endpoint", "\(plan.endpoint)")
        field("trace_ratio", plan.ratio, decimals: 6)
    }
}
