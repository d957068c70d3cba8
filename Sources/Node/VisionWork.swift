import Messages
import NIOCore
import RPC
import Vision

/// What is asked of a node for one picture: one stage, or both on the picture that is decoded once.
struct VisionWork: Sendable {
    struct Detect: Sendable {
        /// 0: the model's own.
        var minConfidence: Float
    }

    struct Classify: Sendable {
        var subject: Subject
        /// 0: the model's own.
        var topK: Int
        /// What was detected is answered without classes if these are not there by then; nil: both belong together.
        var answerBy: NIODeadline?
    }

    /// What is classified.
    enum Subject: Sendable {
        case frame
        case regions([Box])
        /// Boxes that the same request detects, the most confident first.
        case found(limit: Int, floor: Float)
    }

    var frame: Frame
    var detect: Detect?
    var classify: Classify?

    /// Boxes are classified, not the whole picture.
    var isOfBoxes: Bool {
        switch classify?.subject {
        case .frame?, nil: false
        case .regions?, .found?: true
        }
    }

    /// Pictures or regions that are known of before it runs.
    var inputs: Int {
        if case .regions(let regions)? = classify?.subject { regions.count } else { 1 }
    }
}

extension VisionWork.Subject {
    /// What the classifier shall look at in the decoded picture.
    /// - Parameter found: what this request has detected.
    /// - Returns: the inputs, and whose each of them is by index, where they are boxes of `found`.
    /// - Throws: INVALID_ARGUMENT.
    func inputs(of image: Image, found: [Detection]) throws(RPCError) -> (inputs: [ModelInput], boxes: [Int]) {
        switch self {
        case .frame: return ([ModelInput(image)], [])
        case .regions(let regions): return (try image.inputs(regions), [])
        case .found(let limit, let floor):
            let boxes = found.strongest(limit, from: floor)
            let regions = boxes.map { found[$0].box }
            try regions.check()
            return (try image.inputs(regions), boxes)
        }
    }
}

extension Image {
    fileprivate func inputs(_ regions: [Box]) throws(RPCError) -> [ModelInput] {
        for (index, region) in regions.enumerated() {
            guard region.overlaps(width: width, height: height) else {
                throw RPCError(
                    .invalidArgument,
                    "region \(index) (\(region.text)) lies outside of the picture of \(width)×\(height)")
            }
        }
        return regions.map { ModelInput(self, region: $0) }
    }
}

extension [Box] {
    /// - Throws: INVALID_ARGUMENT for one that has no place or no size.
    func check() throws(RPCError) {
        for (index, region) in enumerated() where !region.isUsable {
            throw RPCError(.invalidArgument, "region \(index) (\(region.text)) is empty or not a number")
        }
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
