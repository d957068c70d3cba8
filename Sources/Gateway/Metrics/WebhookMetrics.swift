import Metrics

/// What becomes of what receivers are told. Its handles are made once.
///
/// | name | labels | what |
/// |---|---|---|
/// | `framemesh_webhook_deliveries_total` | of, outcome | deliveries that have ended: delivered, failed, dropped |
/// | `framemesh_webhook_attempts_total` | of, outcome | POSTs: heard, refused for good, to be made again |
struct WebhookMetrics: Sendable {
    private let delivered, failed, dropped: Counter
    private let heard, refused, again: Counter

    static let none = WebhookMetrics(of: "", factory: NOOPMetricsHandler.instance)

    /// - Parameter source: what is told of: `streams` or `videos`.
    init(of source: String, factory: any MetricsFactory) {
        func counter(_ label: String, _ outcome: String) -> Counter {
            Counter(label: label, dimensions: [("of", source), ("outcome", outcome)], factory: factory)
        }
        let deliveries = "framemesh_webhook_deliveries_total"
        delivered = counter(deliveries, "delivered")
        failed = counter(deliveries, "failed")
        dropped = counter(deliveries, "dropped")
        let attempts = "framemesh_webhook_attempts_total"
        heard = counter(attempts, "heard")
        refused = counter(attempts, "refused")
        again = counter(attempts, "again")
    }

    /// One attempt was made.
    func attempted(_ verdict: WebhookQueue.Verdict) {
        switch verdict {
        case .heard: heard.increment()
        case .refused: refused.increment()
        case .again: again.increment()
        }
    }

    /// What a queue counts now, and counted when this was called last.
    func ended(_ counts: WebhookQueue.Counts, before: WebhookQueue.Counts) {
        delivered.increment(by: counts.delivered - before.delivered)
        failed.increment(by: counts.failed - before.failed)
        dropped.increment(by: counts.dropped - before.dropped)
    }

    /// A delivery is not tried again.
    func gaveUp() { failed.increment() }

    /// A delivery is not tried at all: its receiver was given up.
    func wasLeftOut() { dropped.increment() }

    /// The receiver of a delivery has said something that is final.
    func ended(_ verdict: WebhookQueue.Verdict) {
        switch verdict {
        case .heard: delivered.increment()
        case .refused: failed.increment()
        case .again: break
        }
    }
}
