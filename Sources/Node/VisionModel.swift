package import Messages
package import Vision

/// One model on one worker: `Vision.Model`, or what stands for it where a mesh is tested and nothing shall be computed.
/// It is made on the worker's thread and never leaves it.
package protocol VisionModel {
    var manifest: ModelManifest { get }
    /// Inputs of one forward pass.
    var maxBatchSize: Int { get }

    /// A pass of a full batch, so that the first request need not wait for what only the first pass does.
    func warmUp() throws(VisionError)

    /// - Parameter minConfidence: of each input; 0 means the model's own.
    /// - Returns: what was found in each input.
    func detect(
        _ inputs: [ModelInput], minConfidence: [Float]
    ) throws(VisionError) -> (found: [[Detection]], times: StageTimes)

    /// - Parameter topK: of each input; 0 means the model's own.
    /// - Returns: classes of each input, best first.
    func classify(
        _ inputs: [ModelInput], topK: [Int]
    ) throws(VisionError) -> (found: [[Classification]], times: StageTimes)
}

extension Model: VisionModel {}
