import Metrics

/// Counts the attempts of a channel's calls beyond the first of each: `rpc_client_retries_total{target, code}` and
/// `rpc_client_hedges_total{target}`. Made with the channel.
struct AttemptCounters: Sendable {
    private let retries: [Counter]
    private let hedges: Counter

    /// - Parameter target: the channel's name, which no peer chooses.
    init(target: String, factory: any MetricsFactory = MetricsSystem.factory) {
        retries = (0...16).map { code in
            Counter(
                label: "rpc_client_retries_total",
                dimensions: [("target", target), ("code", "\(StatusCode(rawValue: code))")], factory: factory)
        }
        hedges = Counter(label: "rpc_client_hedges_total", dimensions: [("target", target)], factory: factory)
    }

    /// - Parameter code: of the attempt before.
    func retried(after code: StatusCode) {
        // Numbers that gRPC does not have count as UNKNOWN.
        retries[retries.indices.contains(code.rawValue) ? code.rawValue : StatusCode.unknown.rawValue].increment()
    }

    func hedged() { hedges.increment() }
}
