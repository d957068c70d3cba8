import Foundation
import Messages
import Vision

/// Stands where a model would, and computes nothing: each pass waits for a time and finds nothing. What a mesh costs beside its
/// models is seen with it, and many nodes fit on few cores, since who waits takes none.
struct SimulatedModel: VisionModel {
    let manifest: ModelManifest
    let maxBatchSize: Int
    /// Of one pass, whatever is in it.
    let time: Duration

    func warmUp() throws(VisionError) { _ = wait() }

    func detect(
        _ inputs: [ModelInput], minConfidence: [Float]
    ) throws(VisionError) -> (found: [[Detection]], times: StageTimes) {
        (inputs.map { _ in [] }, wait())
    }

    func classify(
        _ inputs: [ModelInput], topK: [Int]
    ) throws(VisionError) -> (found: [[Classification]], times: StageTimes) {
        (inputs.map { _ in [] }, wait())
    }

    private func wait() -> StageTimes {
        let start = ContinuousClock.now
        if time > .zero { Thread.sleep(forTimeInterval: time / .seconds(1)) }
        var times = StageTimes()
        times.infer = UInt64(max(0, (.now - start) / .microseconds(1)))
        return times
    }
}

extension NodeConfiguration {
    /// Longest pass that can be simulated.
    public static let maxSimulatedTime: Duration = .seconds(60)
    /// What a node says that runs its models.
    static let simulated = "simulated"

    /// The node runs no network: each pass waits for `time`, and finds nothing. It says so of itself (`engine`).
    public mutating func simulate(_ time: Duration) {
        engineName = Self.simulated
        load = { (manifest, node) throws(VisionError) in
            SimulatedModel(manifest: manifest, maxBatchSize: node.maxBatchSize, time: time)
        }
    }
}
