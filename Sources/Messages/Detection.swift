/// In pixels of the frame as displayed (EXIF orientation applied), origin top left.
public struct Box: Sendable, Hashable {
    public var x: Float
    public var y: Float
    public var width: Float
    public var height: Float

    public init(x: Float, y: Float, width: Float, height: Float) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    public var area: Float { max(0, width) * max(0, height) }

    /// Intersection over union, 0…1.
    public func iou(_ other: Box) -> Float {
        let w = min(x + width, other.x + other.width) - max(x, other.x)
        let h = min(y + height, other.y + other.height) - max(y, other.y)
        guard w > 0, h > 0 else { return 0 }
        let intersection = w * h
        let union = area + other.area - intersection
        return union > 0 ? intersection / union : 0
    }
}

/// One class that a classifier names.
public struct Classification: Sendable, Hashable {
    public var classID: Int
    public var label: String
    /// 0…1.
    public var confidence: Float

    /// Classes of one answer, all boxes together: 4 fields each, which with 10 for each of a thousand boxes are what a
    /// client reads of one message (`max-protobuf-fields`).
    public static let maxPerAnswer = 12_000

    public init(classID: Int, label: String, confidence: Float) {
        self.classID = classID
        self.label = label
        self.confidence = confidence
    }
}

/// One object that a detector found.
public struct Detection: Sendable, Hashable {
    public var classID: Int
    public var label: String
    /// 0…1.
    public var confidence: Float
    public var box: Box
    /// nil: not tracked. Never 0.
    public var trackID: UInt64?
    /// What a classifier says of this box, best first.
    public var classes: [Classification]

    public init(
        classID: Int, label: String, confidence: Float, box: Box, trackID: UInt64? = nil,
        classes: [Classification] = []
    ) {
        self.classID = classID
        self.label = label
        self.confidence = confidence
        self.box = box
        self.trackID = trackID
        self.classes = classes
    }
}

/// Time that one step took, for example `detect.infer`.
public struct Timing: Sendable, Hashable {
    public var stage: String
    public var microseconds: UInt64

    /// The step that is none: time in which two stages ran at once, which their own times count twice.
    public static let overlap = "overlap"

    public init(_ stage: String, microseconds: UInt64) {
        self.stage = stage
        self.microseconds = microseconds
    }
}
