import Messages
import NIOCore
import Vision

extension WorkerPool.Served where Runner == ModelRunner {
    /// What the coordinator's `Merge` subtracts from the time of a call.
    /// - Parameter isFused: each stage's times bear its name. Less the overlap all of them still add up to what the request
    ///   took, as the picture waited once and was decoded once.
    func timing(isFused: Bool = false) -> [Timing] {
        var timing = [
            Timing("queue", microseconds: UInt64(clamping: queued.nanoseconds / 1000)),
            Timing("decode", microseconds: UInt64(clamping: answer.decode.nanoseconds / 1000)),
        ]
        for (stage, times) in answer.times {
            let prefix = isFused ? "\(stage)." : ""
            timing.append(Timing("\(prefix)preprocess", microseconds: times.preprocess))
            timing.append(Timing("\(prefix)infer", microseconds: times.infer))
            timing.append(Timing("\(prefix)postprocess", microseconds: times.postprocess))
        }
        if answer.overlap > .zero {
            timing.append(Timing(Timing.overlap, microseconds: UInt64(clamping: answer.overlap.nanoseconds / 1000)))
        }
        return timing
    }
}
