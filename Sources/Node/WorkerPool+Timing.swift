import Messages
import NIOCore
import Vision

extension WorkerPool.Served {
    /// What the coordinator's `Merge` subtracts from the time of a call.
    func timing<Output>() -> [Timing] where Runner.Answer == VisionAnswer<Output> {
        [
            Timing("queue", microseconds: UInt64(clamping: queued.nanoseconds / 1000)),
            Timing("decode", microseconds: UInt64(clamping: answer.decode.nanoseconds / 1000)),
            Timing("preprocess", microseconds: answer.stages.preprocess),
            Timing("infer", microseconds: answer.stages.infer),
            Timing("postprocess", microseconds: answer.stages.postprocess),
        ]
    }
}
