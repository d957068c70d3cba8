/// What a gateway says of itself and of its mesh (`/v1/nodes`).
struct GatewayNodes: Decodable {
    struct Coordinator: Decodable {
        var address: String
        var state: String
        var reason: String?
        var nodes: [Node]
    }
    struct Node: Decodable {
        var role: String
        var address: String
        var state: String
        var reason: String?
        var build: String?
    }
    /// Of the gateway.
    var version: String?
    var coordinators: [Coordinator]
}
