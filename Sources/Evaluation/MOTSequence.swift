internal import Messages
public import Tracking

/// Boxes of a video as the MOT Challenge has them (Milan et al. 2016, arXiv:1603.00831):
/// `frame,id,left,top,width,height,confidence,…`, frames and pixels from 1 on; here, as everywhere, pixels are from 0 on.
public struct MOTSequence: Sendable {
    public static let maxRows = 10_000_000
    public static let maxFrame = 10_000_000

    /// By number of the frame.
    private var rows: [Int: [ClearMOT.Entry]] = [:]
    public private(set) var lastFrame = 0

    /// - Parameter isTruth: rows whose seventh field is below 1 are there to be ignored.
    /// - Throws: `DatasetError` with the number of the line.
    public init(text: String, isTruth: Bool) throws(DatasetError) {
        var count = 0
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map {
                $0.filter { !$0.isWhitespace }
            }
            if fields == [""] { continue }
            count += 1
            guard count <= Self.maxRows else { throw DatasetError("more than \(Self.maxRows) rows") }
            let values = fields.prefix(7).map { Double($0) ?? .nan }
            guard values.count >= 6, values.allSatisfy(\.isFinite) else {
                throw DatasetError("line \(index + 1) is not frame,id,left,top,width,height,confidence in numbers")
            }
            guard values[0] >= 1, values[0] <= Double(Self.maxFrame) else {
                throw DatasetError("line \(index + 1): frame \(fields[0]) is not between 1 and \(Self.maxFrame)")
            }
            if isTruth, values.count > 6, values[6] < 1 { continue }
            // Boxes without a track have the id -1.
            guard values[1] >= 0, values[1] < 0x1p53 else { continue }
            let box = Box(
                x: Float(values[2] - 1), y: Float(values[3] - 1), width: Float(values[4]), height: Float(values[5]))
            rows[Int(values[0]), default: []].append(ClearMOT.Entry(id: UInt64(values[1]), box: box))
            lastFrame = max(lastFrame, Int(values[0]))
        }
    }

    public subscript(frame: Int) -> [ClearMOT.Entry] { rows[frame] ?? [] }
}

/// Scores of one video, or of several together.
public struct TrackingScore: Sendable {
    public var frames = 0
    /// True boxes.
    public var objects = 0
    public var matches = 0
    public var misses = 0
    public var falsePositives = 0
    public var identitySwitches = 0
    private var identityMatches = 0
    private var trackBoxes = 0

    public init() {}

    public init(_ tracks: MOTSequence, against truth: MOTSequence) {
        var score = ClearMOT()
        let last = max(tracks.lastFrame, truth.lastFrame)
        for frame in 1..<max(1, last + 1) { score.add(truth: truth[frame], tracks: tracks[frame]) }
        frames = score.frames
        objects = score.truthCount
        matches = score.matches
        misses = score.misses
        falsePositives = score.falsePositives
        identitySwitches = score.identitySwitches
        identityMatches = score.identityMatches
        trackBoxes = score.trackCount
    }

    public static func += (sum: inout TrackingScore, other: TrackingScore) {
        sum.frames += other.frames
        sum.objects += other.objects
        sum.matches += other.matches
        sum.misses += other.misses
        sum.falsePositives += other.falsePositives
        sum.identitySwitches += other.identitySwitches
        sum.identityMatches += other.identityMatches
        sum.trackBoxes += other.trackBoxes
    }

    /// 1 − (misses + false positives + switches) / true boxes; nil: no true box.
    public var mota: Double? {
        objects == 0 ? nil : 1 - Double(misses + falsePositives + identitySwitches) / Double(objects)
    }

    /// nil: no box at all.
    public var idf1: Double? {
        objects + trackBoxes == 0 ? nil : 2 * Double(identityMatches) / Double(objects + trackBoxes)
    }
}
