import NIOCore
import Vision

/// Loads one net of each model on the thread that calls, and tries each once warm.
struct ModelLoader: Sendable {
    struct Loaded {
        var models: [any VisionModel]
        /// Of a full batch of each model, once the first, slow pass is over.
        var passTimes: [TimeAmount]
    }

    let configuration: NodeConfiguration

    /// - Throws: `VisionError` that names the model.
    func load() throws(VisionError) -> Loaded {
        var loaded = Loaded(models: [], passTimes: [])
        for manifest in configuration.models {
            let model = try configuration.load(manifest, configuration)
            // The first pass allocates; the second one is what requests will see.
            try model.warmUp()
            let start = NIODeadline.now()
            try model.warmUp()
            loaded.models.append(model)
            loaded.passTimes.append(NIODeadline.now() - start)
        }
        return loaded
    }
}

extension WorkerPool {
    /// Each worker says the same of batches; times are averaged.
    func learn(from loaded: borrowing ModelLoader.Loaded, _ lanes: [ModelLane]) {
        for (index, lane) in lanes.enumerated() {
            let passes = lane.models.map { (batch: loaded.models[$0].maxBatchSize, time: loaded.passTimes[$0]) }
            // A batch of a lane is one that each of its models takes; of one that takes more, it has a share.
            let maxBatchSize = passes.map(\.batch).min() ?? 1
            let passTime = passes.reduce(TimeAmount.zero) { sum, pass in
                sum + .nanoseconds(pass.time.nanoseconds * Int64(maxBatchSize) / Int64(max(1, pass.batch)))
            }
            withQueue { $0.learn(model: index, maxBatchSize: maxBatchSize, passTime: passTime) }
        }
    }
}
