import Metrics
import Node

/// The gauges of a node, there from its start: an autoscaler must see an idle node too.
struct NodeMeters: Sendable {
    private let queueDepth: Meter
    private let queueDelay: Meter
    private let busyRatio: Meter

    init(_ role: NodeRole, _ factory: any MetricsFactory) {
        func meter(_ name: String) -> Meter {
            Meter(label: "framemesh_\(name)", dimensions: [("role", role.rawValue)], factory: factory)
        }
        queueDepth = meter("queue_depth")
        queueDelay = meter("queue_delay_seconds")
        busyRatio = meter("busy_ratio")
    }

    func set(_ load: NodeLoad) {
        queueDepth.set(load.queueDepth)
        queueDelay.set(load.queueDelay)
        busyRatio.set(load.busyRatio)
    }
}
