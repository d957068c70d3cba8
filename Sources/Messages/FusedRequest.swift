/// Both stages of a pipeline in one call.
public struct FusedRequest: Sendable {
    public var frame: Frame
    /// Empty: the node's first detection model.
    public var detectModel: String
    /// 0: the model's own threshold.
    public var minConfidence: Float
    /// Empty: the node's first classification model.
    public var classifyModel: String
    /// 0: the model's own.
    public var topK: Int
    /// Boxes that are classified, the most confident first; 0: the whole frame is.
    public var boxes: Int
    /// Boxes with less are not classified.
    public var boxConfidence: Float

    public init(
        frame: Frame, detectModel: String = "", minConfidence: Float = 0, classifyModel: String = "", topK: Int = 0,
        boxes: Int = 0, boxConfidence: Float = 0
    ) {
        self.frame = frame
        self.detectModel = detectModel
        self.minConfidence = minConfidence
        self.classifyModel = classifyModel
        self.topK = topK
        self.boxes = boxes
        self.boxConfidence = boxConfidence
    }
}

/// A stage that gave no answer, though the picture is well.
public struct StageFailure: Sendable, Hashable {
    /// `detect` or `classify`.
    public var stage: String
    /// gRPC status code.
    public var code: Int
    public var message: String

    public init(stage: String, code: Int, message: String) {
        self.stage = stage
        self.code = code
        self.message = message
    }
}

public struct FusedResponse: Sendable {
    /// Of the frame as displayed, pixels.
    public var width = 0
    public var height = 0
    /// With their classes, where boxes were to be classified.
    public var detections: [Detection] = []
    /// Of the whole frame, where that was to be classified.
    public var classes: [Classification] = []
    /// `queue` and `decode`, which both stages share; then `detect.infer`, `classify.infer` and so on.
    public var timing: [Timing] = []
    public var sequence: UInt64 = 0
    /// At most one of the two stages: where both fail, the call does.
    public var failures: [StageFailure] = []

    public init() {}
}

extension [Detection] {
    /// Indices of those that are classified, the most confident first.
    /// - Parameter floor: the least confidence of them.
    public func strongest(_ limit: Int, from floor: Float) -> [Int] {
        let order = indices.filter { self[$0].confidence >= floor }
            .sorted { self[$0].confidence > self[$1].confidence }
        return Array<Int>(order.prefix(Swift.max(0, limit)))
    }
}
