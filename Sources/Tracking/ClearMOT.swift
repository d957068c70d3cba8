public import Messages

/// How good tracks are against the truth: CLEAR MOT (Bernardin and Stiefelhagen 2008) and IDF1 (Ristani et al. 2016).
///
/// ```swift
/// var score = ClearMOT()
/// for frame in sequence { score.add(truth: frame.truth, tracks: frame.answer) }
/// print(score.mota, score.idf1, score.identitySwitches)
/// ```
public struct ClearMOT: Sendable {
    /// An object or a track in one frame. An id must not come twice in a frame; of doubles the first counts.
    public struct Entry: Sendable, Hashable {
        public var id: UInt64
        public var box: Box

        public init(id: UInt64, box: Box) {
            self.id = id
            self.box = box
        }
    }

    /// Least overlap of a true box and a track's box that counts as found.
    public let minimumOverlap: Float
    public private(set) var frames = 0
    /// True boxes.
    public private(set) var truthCount = 0
    /// Boxes of tracks.
    public private(set) var trackCount = 0
    public private(set) var matches = 0
    public var misses: Int { truthCount - matches }
    public var falsePositives: Int { trackCount - matches }
    /// How often an object's track changed its id.
    public private(set) var identitySwitches = 0

    private var overlapSum = 0.0
    /// For each object, the track that last matched it.
    private var lastTrack: [UInt64: UInt64] = [:]
    /// Frames in which object and track overlapped enough.
    private var together: [Pair: Int] = [:]

    private struct Pair: Hashable {
        var truth: UInt64
        var track: UInt64
    }

    public init(minimumOverlap: Float = 0.5) { self.minimumOverlap = minimumOverlap }

    public mutating func add(truth: [Entry], tracks: [Entry]) {
        let truth = Self.withoutDoubles(truth)
        let tracks = Self.withoutDoubles(tracks)
        frames += 1
        truthCount += truth.count
        trackCount += tracks.count

        var overlaps = [Float](repeating: 0, count: truth.count * tracks.count)
        for (row, object) in truth.enumerated() {
            for (column, track) in tracks.enumerated() {
                let overlap = object.box.iou(track.box)
                guard overlap > 0, overlap >= minimumOverlap else { continue }
                together[Pair(truth: object.id, track: track.id), default: 0] += 1
                overlaps[row * tracks.count + column] = overlap
            }
        }
        let columns = pairs(truth, tracks, overlaps)
        for (row, column) in columns.enumerated() {
            guard let column else { continue }
            let object = truth[row].id
            let track = tracks[column].id
            matches += 1
            overlapSum += Double(overlaps[row * tracks.count + column])
            if let last = lastTrack[object], last != track { identitySwitches += 1 }
            lastTrack[object] = track
        }
    }

    /// For each object its track: the one that it had last, else so that there are as many pairs as there can be, and among
    /// those the best overlap (as in py-motmetrics).
    private func pairs(_ truth: [Entry], _ tracks: [Entry], _ overlaps: [Float]) -> [Int?] {
        var columns = [Int?](repeating: nil, count: truth.count)
        var isTaken = [Bool](repeating: false, count: tracks.count)
        let columnOf = Dictionary(uniqueKeysWithValues: tracks.enumerated().map { ($1.id, $0) })
        for (row, object) in truth.enumerated() {
            guard let column = lastTrack[object.id].flatMap({ columnOf[$0] }), !isTaken[column],
                overlaps[row * tracks.count + column] > 0
            else { continue }
            columns[row] = column
            isTaken[column] = true
        }
        let perPair = Double(min(truth.count, tracks.count) + 1)
        var free: [Assignment.Pair] = []
        for row in truth.indices where columns[row] == nil {
            for column in tracks.indices where !isTaken[column] {
                let overlap = overlaps[row * tracks.count + column]
                guard overlap > 0 else { continue }
                free.append(Assignment.Pair(row: row, column: column, benefit: perPair + Double(overlap)))
            }
        }
        for (row, column) in Assignment.best(rows: truth.count, columns: tracks.count, pairs: free).enumerated() {
            if let column { columns[row] = column }
        }
        return columns
    }

    /// 1 − (misses + false positives + switches) / true boxes; may be negative. 1 when there was nothing to find.
    public var mota: Double {
        guard truthCount > 0 else { return falsePositives == 0 ? 1 : -Double(falsePositives) }
        return 1 - Double(misses + falsePositives + identitySwitches) / Double(truthCount)
    }

    /// Mean overlap of the matches.
    public var motp: Double { matches > 0 ? overlapSum / Double(matches) : 0 }

    /// F1 of boxes that carry the right identity, under the best one-to-one pairing of objects and tracks.
    public var idf1: Double {
        let total = truthCount + trackCount
        return total > 0 ? 2 * Double(identityMatches) / Double(total) : 1
    }

    /// Boxes that carry the right identity (IDTP), under that pairing.
    public var identityMatches: Int {
        let objects = Set(together.keys.map(\.truth)).sorted()
        let ids = Set(together.keys.map(\.track)).sorted()
        var pairs: [Assignment.Pair] = []
        for (row, object) in objects.enumerated() {
            for (column, id) in ids.enumerated() {
                guard let frames = together[Pair(truth: object, track: id)] else { continue }
                pairs.append(Assignment.Pair(row: row, column: column, benefit: Double(frames)))
            }
        }
        let columns = Assignment.best(rows: objects.count, columns: ids.count, pairs: pairs)
        return columns.enumerated().reduce(0) { sum, pair in
            sum + (pair.element.flatMap { together[Pair(truth: objects[pair.offset], track: ids[$0])] } ?? 0)
        }
    }

    private static func withoutDoubles(_ entries: [Entry]) -> [Entry] {
        var known = Set<UInt64>()
        return entries.filter { known.insert($0.id).inserted }
    }
}
