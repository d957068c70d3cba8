/// What a stream does when frames come faster than answers.
public enum StreamPolicy: UInt32, Sendable, CaseIterable {
    /// Never drop: hold the sender back.
    case lossless = 0
    /// A live camera: the newest frame wins, each drop is reported.
    case latest
    /// Drop what is older than the frame deadline.
    case deadline
}

public enum AnswerStatus: UInt32, Sendable {
    case ok = 0
    /// A stage is missing.
    case partial
    /// By the stream's policy.
    case dropped
    case error
}

public struct AnalyzeRequest: Sendable {
    public var frame: Frame
    /// In a stream, the pipeline of the first frame holds.
    public var pipeline: String
    /// 0: the model's own threshold.
    public var minConfidence: Float
    public var policy: StreamPolicy
    /// Milliseconds; 0: the coordinator's default.
    public var frameDeadline: UInt32
    /// Classes per picture or box; 0: the pipeline's own.
    public var topK: Int
    /// Of the stream: how often its sender had to begin it again; read from its first frame.
    public var epoch: UInt32

    public init(
        frame: Frame, pipeline: String, minConfidence: Float = 0, policy: StreamPolicy = .lossless,
        frameDeadline: UInt32 = 0, topK: Int = 0, epoch: UInt32 = 0
    ) {
        self.frame = frame
        self.pipeline = pipeline
        self.minConfidence = minConfidence
        self.policy = policy
        self.frameDeadline = frameDeadline
        self.topK = topK
        self.epoch = epoch
    }
}

public struct AnalyzeResponse: Sendable {
    public var stream = ""
    public var sequence: UInt64 = 0
    public var status = AnswerStatus.ok
    /// Why, when the status is not ok.
    public var cause = ""
    /// gRPC status code of the cause.
    public var code = 0
    /// Of the frame as displayed, pixels.
    public var width = 0
    public var height = 0
    public var detections: [Detection] = []
    /// Of the whole frame, best first.
    public var classes: [Classification] = []
    public var timing: [Timing] = []
    /// Stages that gave no answer.
    public var missing: [String] = []
    /// Node calls made for this frame beyond the first of each stage.
    public var attempts = 0
    /// As sent.
    public var captureTime: Int64 = 0
    /// Of the stream, as sent. Track ids are of their epoch alone.
    public var epoch: UInt32 = 0

    public init() {}
}

public struct PipelineDescription: Sendable, Hashable {
    public var name: String
    public var stages: [String]
    public var needsStream: Bool
    public var text: String
    /// Stages without which a frame is an error; without another one it is partial.
    public var required: [String] = []
    /// That is asked of detectors; empty: each one's first.
    public var detectModel = ""
    /// That is asked of classifiers; empty: each one's first.
    public var classifyModel = ""
    /// That are classified, at most; 0: the whole frame is.
    public var boxes = 0
    /// Classes of the frame or of each box; 0: nothing is classified.
    public var topK = 0
    /// Stages for which the coordinator was told of no nodes, ready or not.
    public var unoffered: [String] = []

    public init(name: String, stages: [String], needsStream: Bool, text: String) {
        self.name = name
        self.stages = stages
        self.needsStream = needsStream
        self.text = text
    }
}

public struct DetectRequest: Sendable {
    public var frame: Frame
    /// Empty: the node's first detection model.
    public var model: String
    /// 0: the model's own threshold.
    public var minConfidence: Float

    public init(frame: Frame, model: String = "", minConfidence: Float = 0) {
        self.frame = frame
        self.model = model
        self.minConfidence = minConfidence
    }
}

public struct DetectResponse: Sendable {
    public var width = 0
    public var height = 0
    public var detections: [Detection] = []
    public var timing: [Timing] = []
    public var sequence: UInt64 = 0

    public init() {}
}

public struct ClassifyRequest: Sendable {
    public var frame: Frame
    /// Empty: the node's first classification model.
    public var model: String
    /// Empty: the whole frame.
    public var regions: [Box]
    /// 0: the model's own.
    public var topK: Int

    public init(frame: Frame, model: String = "", regions: [Box] = [], topK: Int = 0) {
        self.frame = frame
        self.model = model
        self.regions = regions
        self.topK = topK
    }
}

public struct ClassifyResponse: Sendable {
    public var width = 0
    public var height = 0
    /// One list for each region asked, or one for the whole frame.
    public var regions: [[Classification]] = []
    public var timing: [Timing] = []
    public var sequence: UInt64 = 0

    public init() {}
}
