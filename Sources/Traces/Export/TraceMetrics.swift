import Metrics
import RPC

/// What became of the spans of a process.
struct TraceMetrics: Sendable {
    enum Drop: String, CaseIterable {
        /// Too many waited.
        case queueFull = "queue_full"
        /// The receiver did not want them.
        case rejected
        /// The receiver could not be reached, or failed, for too long.
        case failed
        /// The process ended.
        case shutdown
    }

    private let exported: Counter
    private let drops: [Drop: Counter]
    private let requests: [Counter]

    init(_ factory: any MetricsFactory) {
        exported = Counter(label: "framemesh_trace_spans_total", dimensions: [], factory: factory)
        drops = Dictionary(
            uniqueKeysWithValues: Drop.allCases.map {
                (
                    $0,
                    Counter(
                        label: "framemesh_trace_drops_total", dimensions: [("reason", $0.rawValue)], factory: factory)
                )
            })
        requests = (0...16).map {
            Counter(
                label: "framemesh_trace_requests_total", dimensions: [("code", "\(StatusCode(rawValue: $0))")],
                factory: factory)
        }
    }

    func exported(_ count: Int) { exported.increment(by: count) }

    func dropped(_ count: Int, _ why: Drop) {
        if count > 0 { drops[why]?.increment(by: count) }
    }

    func asked(_ code: StatusCode) {
        // Numbers that gRPC does not have count as UNKNOWN.
        requests[requests.indices.contains(code.rawValue) ? code.rawValue : StatusCode.unknown.rawValue].increment()
    }
}
