import Hummingbird
import Results

/// `GET /v1/pipelines`: what can be asked for, and what works at this moment.
struct PipelineRoutes {
    let services: GatewayServices

    func add(to group: RouterGroup<GatewayContext>) {
        group.get("pipelines") { _, _ in
            let view = try await services.coordinators.view()
            return JSONAnswer { json in
                json.array("pipelines", view.pipelines) { $0.add($1) }
            }
        }
    }
}
