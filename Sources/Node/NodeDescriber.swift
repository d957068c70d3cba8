import Messages
import NIOCore
import Services
import Vision

/// `framemesh.v1.Node`: what stays the same, and the numbers of the queue at the time of the question.
struct NodeDescriber: NodeHandler {
    let constant: NodeDescription
    let numbers: @Sendable (inout NodeDescription) -> Void

    func describe() -> NodeDescription {
        var description = constant
        numbers(&description)
        return description
    }
}

extension WorkerPool {
    func describer(of configuration: NodeConfiguration, _ lanes: [ModelLane]) -> NodeDescriber {
        var constant = NodeDescription()
        constant.role = configuration.role.rawValue
        constant.workers = configuration.workers
        constant.queueLimit = configuration.queueLimit
        constant.build = configuration.build
        constant.zone = configuration.zone
        constant.engine = configuration.engineName
        let batchSizes = withQueue { $0.batchers.map(\.maxBatchSize) }
        constant.models = configuration.models.enumerated().map { index, model in
            var description = model.description
            // Of the lane that the model has for itself.
            if let lane = lanes.firstIndex(where: { $0.models == [index] }) {
                description.maxBatchSize = batchSizes[lane]
            }
            return description
        }
        return NodeDescriber(constant: constant, numbers: fillNumbers)
    }

    private func fillNumbers(of description: inout NodeDescription) {
        withQueue { queue in
            description.queueDepth = queue.depth
            description.inFlight = queue.running
            description.estimatedWait = UInt64(clamping: queue.estimatedWait.nanoseconds / 1000)
            description.accepted = queue.counts.accepted
            description.completed = queue.counts.completed
            description.refused = queue.counts.onArrival + queue.counts.displaced
            description.expired = queue.counts.expired + queue.counts.late
        }
    }
}
