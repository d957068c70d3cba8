import Messages
import RPC

/// What is asked of every frame of a run.
struct AnalyzeOptions: Sendable {
    var pipeline: String
    /// 0: the model's own.
    var minConfidence: Float = 0
    /// 0: the pipeline's own.
    var topK = 0
    var policy = StreamPolicy.lossless
    /// Milliseconds; 0: the coordinator's default.
    var frameDeadline: UInt32 = 0

    /// Longer than the coordinator's own default of 30 s, so that its reason comes first.
    static let defaultTimeout: Duration = .seconds(60)
    /// On top of a deadline that was asked for.
    static let timeoutMargin: Duration = .seconds(5)

    init(pipeline: String) { self.pipeline = pipeline }

    func request(_ frame: Frame) -> AnalyzeRequest {
        AnalyzeRequest(
            frame: frame, pipeline: pipeline, minConfidence: minConfidence, policy: policy,
            frameDeadline: frameDeadline, topK: topK)
    }

    /// Of one unary call.
    var deadline: Deadline { .after(timeout) }

    var timeout: Duration {
        frameDeadline == 0 ? Self.defaultTimeout : .milliseconds(Int64(frameDeadline)) + Self.timeoutMargin
    }
}
