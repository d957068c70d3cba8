import Messages
import RPC
import Vision

/// What is asked of a model, whichever its task is.
protocol VisionWork: Sendable, SendableMetatype {
    /// What the model says of one input.
    associatedtype Output: Sendable

    var frame: Frame { get }

    /// What the model shall look at in the decoded picture: one input or more, as many as the request was queued with.
    /// - Throws: INVALID_ARGUMENT.
    func inputs(of image: Image) throws(RPCError) -> [ModelInput]

    /// - Parameter works: whose each input is.
    /// - Returns: one output for each input.
    static func run(
        _ model: any VisionModel, _ inputs: [ModelInput], for works: [Self]
    ) throws(VisionError) -> (found: [Output], times: StageTimes)
}

struct DetectWork: VisionWork {
    var frame: Frame
    /// 0: the model's own.
    var minConfidence: Float

    func inputs(of image: Image) -> [ModelInput] { [ModelInput(image)] }

    static func run(
        _ model: any VisionModel, _ inputs: [ModelInput], for works: [Self]
    ) throws(VisionError) -> (found: [[Detection]], times: StageTimes) {
        try model.detect(inputs, minConfidence: works.map(\.minConfidence))
    }
}

struct ClassifyWork: VisionWork {
    var frame: Frame
    /// Empty: the whole picture.
    var regions: [Box]
    /// 0: the model's own.
    var topK: Int

    func inputs(of image: Image) throws(RPCError) -> [ModelInput] {
        if regions.isEmpty { return [ModelInput(image)] }
        for (index, region) in regions.enumerated() {
            guard region.overlaps(width: image.width, height: image.height) else {
                throw RPCError(
                    .invalidArgument,
                    "region \(index) (\(region.text)) lies outside of the picture of \(image.width)×\(image.height)")
            }
        }
        return regions.map { ModelInput(image, region: $0) }
    }

    static func run(
        _ model: any VisionModel, _ inputs: [ModelInput], for works: [Self]
    ) throws(VisionError) -> (found: [[Classification]], times: StageTimes) {
        try model.classify(inputs, topK: works.map(\.topK))
    }
}

extension Box {
    /// Has a place and a size.
    var isUsable: Bool {
        x.isFinite && y.isFinite && width.isFinite && height.isFinite && width > 0 && height > 0
    }

    func overlaps(width pictureWidth: Int, height pictureHeight: Int) -> Bool {
        x < Float(pictureWidth) && y < Float(pictureHeight) && x + width > 0 && y + height > 0
    }

    /// For messages: `x 10, y 20, 30×40`.
    var text: String { "x \(x), y \(y), \(width)×\(height)" }
}
