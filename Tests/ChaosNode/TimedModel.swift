import ChaosFrame
import Foundation
import Messages
import Node
import Vision

/// A model that waits where another one computes, and answers with the digest of the picture that the node decoded.
struct TimedModel: VisionModel {
    let manifest: ModelManifest
    let maxBatchSize: Int
    /// Of the node, said in each answer.
    let name: String
    let behaviour: Behaviour

    func warmUp() throws(VisionError) { wait() }

    func detect(
        _ inputs: [ModelInput], minConfidence: [Float]
    ) throws(VisionError) -> (found: [[Detection]], times: StageTimes) {
        let (seen, times) = try look(at: inputs)
        let found = zip(inputs, seen).map { input, seen in
            let box = seen.place.box(width: input.image.width, height: input.image.height)
            return [Detection(classID: 0, label: label(seen), confidence: 0.9, box: box)]
        }
        return (found, times)
    }

    func classify(
        _ inputs: [ModelInput], topK: [Int]
    ) throws(VisionError) -> (found: [[Classification]], times: StageTimes) {
        let (seen, times) = try look(at: inputs)
        return (seen.map { [Classification(classID: 0, label: label($0), confidence: 0.9)] }, times)
    }

    private func label(_ seen: SeenPicture) -> String { "\(name) \(seen.truth)" }

    private func look(at inputs: [ModelInput]) throws(VisionError) -> ([SeenPicture], StageTimes) {
        let seen = inputs.map { SeenPicture(bgr: $0.image.pixels) }
        for picture in seen {
            switch picture.order {
            case .answer: break
            case .crash: kill(getpid(), SIGABRT)
            case .hang: while true { Thread.sleep(forTimeInterval: 3600) }
            }
        }
        let waited = wait()
        if behaviour.failsNow() { throw VisionError(.internalFailure, "told to fail") }
        var times = StageTimes()
        times.infer = UInt64(waited * 1e6)
        return (seen, times)
    }

    /// - Returns: seconds.
    @discardableResult
    private func wait() -> Double {
        let seconds = behaviour.seconds
        Thread.sleep(forTimeInterval: seconds)
        return seconds
    }
}
