import Hummingbird
import Mesh
import Messages
import Results

/// What runs the mesh, for those who run it: `GET /v1/nodes` and `GET /v1/models`.
struct NodeRoutes {
    let services: GatewayServices

    func add(to group: RouterGroup<GatewayContext>) {
        group.get("nodes") { _, _ in
            let view = try await services.coordinators.view()
            return JSONAnswer { json in
                json.field("version", services.configuration.build)
                json.array("coordinators", view.coordinators) { json, coordinator in
                    json.object { json in
                        json.fields(of: coordinator.endpoint)
                        json.array("nodes", coordinator.nodes) { $0.add($1) }
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

extension JSONText {
    /// How calls of this gateway find a coordinator.
    fileprivate mutating func fields(of endpoint: EndpointState) {
        field("address", endpoint.name)
        field("state", endpoint.state.rawValue)
        if let reason = endpoint.reason { field("reason", reason.onOneLine) }
        field("outstanding", endpoint.outstanding)
        field("latency_ms", endpoint.latency / .milliseconds(1), decimals: 3)
        if let p99 = endpoint.p99 { field("p99_ms", p99 / .milliseconds(1), decimals: 3) }
        field("calls", endpoint.calls)
        field("failures", endpoint.failures)
        field("ejections", endpoint.ejections)
    }
}
