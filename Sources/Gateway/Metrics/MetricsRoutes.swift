import HTTPTypes
import Hummingbird
import NIOCore
import Telemetry

/// `GET /metrics`: what this process counts, as Prometheus reads it.
struct MetricsRoutes {
    let metrics: PrometheusMetrics

    func add(to group: RouterGroup<GatewayContext>) {
        group.get("metrics") { [metrics] _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4", .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(string: metrics.text)))
        }
    }
}
