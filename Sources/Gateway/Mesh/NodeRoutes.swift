import Hummingbird
import Messages
import Results

/// What runs the mesh, for those who run it: `GET /v1/nodes` and `GET /v1/models`.
struct NodeRoutes {
    let services: GatewayServices

    func add(to group: RouterGroup<GatewayContext>) {
        group.get("nodes") { _, _ in
            let view = try await services.coordinators.view()
            return JSONAnswer { json in
                json.array("coordinators", [view]) { json, view in
                    json.object { json in
                        json.field("address", view.coordinator)
                        json.array("nodes", view.nodes) { $0.add($1) }
                    }
                }
            }
        }
        group.get("models") { _, _ in
            let models = ServedModel.list(try await services.coordinators.view().nodes)
            return JSONAnswer { json in json.array("models", models) { $0.add($1) } }
        }
    }
}
