import HTTPTypes
import Hummingbird
import Results

/// For load balancers: `/healthz`, the process answers; `/readyz`, and there is a mesh that works.
struct HealthRoutes {
    static let paths: Set = ["/healthz", "/readyz"]

    let services: GatewayServices

    func add(to group: RouterGroup<GatewayContext>) {
        group.get("healthz") { _, _ in JSONAnswer { $0.field("status", "ok") } }
        group.get("readyz") { _, _ in
            let view = try await services.coordinators.view()
            guard view.readyNodes > 0 else {
                throw Problem(.serviceUnavailable, "no node is ready").retry(after: .seconds(1))
            }
            return JSONAnswer { json in
                json.field("status", "ready")
                json.field("nodes", view.readyNodes)
            }
        }
    }
}
