package import Areas
package import RPC

/// Every size, count and wait of a gateway. Each has a name, by which a flag sets it and by which an error names it.
package struct GatewayLimits: Sendable {
    package var connections = ConnectionLimits()
    package var pictures = PictureLimits()
    package var videos = VideoJobLimits()
    package var rate = RateLimits()
    package var streams = StreamLimits()
    package var areas = AreaLimits()
    package var areaRules = AreaRules()
    package var events = EventLimits()
    package var webhooks = WebhookLimits()
    /// Of a JSON document that a request brings.
    package var maxJSONBytes = 64 << 10
    /// How long a request waits for a coordinator to be connected, for what one says of the mesh, or for nodes to be ready.
    package var connectPatience: Duration = .seconds(2)
    /// How old what a coordinator says of its nodes and pipelines may be.
    package var meshAge: Duration = .milliseconds(500)

    package init() {}

    /// In the order of docs/http-api.md.
    package static let limits: [Limit<GatewayLimits>] =
        ConnectionLimits.limits.map { $0.under(\.connections) } + PictureLimits.limits.map { $0.under(\.pictures) }
        + VideoJobLimits.limits.map { $0.under(\.videos) } + RateLimits.limits.map { $0.under(\.rate) }
        + StreamLimits.limits.map { $0.under(\.streams) } + AreaLimits.limits.map { $0.under(\.areas) }
        + AreaRules.limits.map { $0.under(\.areaRules) }
        + EventLimits.limits.map { $0.under(\.events) } + WebhookLimits.limits.map { $0.under(\.webhooks) } + own

    private static let own: [Limit<GatewayLimits>] = [
        Limit("max-json-bytes", \.maxJSONBytes, .bytes, "A JSON document that a request brings."),
        Limit("connect-patience", \.connectPatience, "How long a request waits for a coordinator, or for nodes."),
        Limit("mesh-age", \.meshAge, "How old what is told of nodes and pipelines may be."),
    ]
}
