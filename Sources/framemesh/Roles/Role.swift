import Foundation
import Mesh
import Metrics
import NIOCore
import Telemetry
import Traces

/// The life of a process that serves: it says where, serves until it is told to end, drains, and ends with 0.
enum Role {
    /// Tells those who watch over it while `body` runs: metrics, traces, and as much of the log as signals ask for.
    static func telling<Value: Sendable>(
        _ log: ProcessLog, _ metrics: PrometheusMetrics, at place: MetricsPlace?, _ traces: TracePlan?,
        _ body: (MeshTracer?) async throws -> Value
    ) async throws -> Value {
        try await log.followingSignals {
            try await MetricsPlace.serving(metrics, at: place) {
                try await TracePlan.exporting(traces, metrics: MetricsSystem.factory, logger: log.logger, body)
            }
        }
    }

    static func serve(at address: SocketAddress, _ run: @Sendable @escaping () async throws -> Void) async throws {
        try await Interrupts.run {
            print("ready \(address.endpointName)")
            // Whoever started us waits for the line.
            fflush(nil)
            do {
                try await run()
            } catch is CancellationError where Task.isCancelled {
                // Told to end, and ended.
            }
        }
    }
}
