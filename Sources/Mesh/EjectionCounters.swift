import Metrics
import RPC

/// `framemesh_ejections_total{target, code}`: how often an endpoint was left out, by the error that was too much. Made
/// with the channel.
struct EjectionCounters: Sendable {
    private let counters: [Counter]

    init(target: String, factory: any MetricsFactory = MetricsSystem.factory) {
        counters = (0...16).map { code in
            Counter(
                label: "framemesh_ejections_total",
                dimensions: [("target", target), ("code", "\(StatusCode(rawValue: code))")], factory: factory)
        }
    }

    func count(_ code: StatusCode?) {
        let code = code?.rawValue ?? StatusCode.unknown.rawValue
        counters[counters.indices.contains(code) ? code : StatusCode.unknown.rawValue].increment()
    }
}
