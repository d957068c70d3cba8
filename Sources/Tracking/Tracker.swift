public import Messages

/// Gives the objects of one stream lasting ids: ByteTrack (Zhang et al. 2021, arXiv:2110.06864) driven by capture time.
///
/// Differences from the paper, each for a reason:
/// - Motion and the lost buffer are measured in time, so dropped frames and changing rates do not switch ids.
/// - The gate looks at the overlap alone; confidence only weighs between allowed pairs. Multiplying it into the gate
///   cuts off detectors whose scores are low as a rule.
/// - Classes: see `ClassRule`; a track is named by vote.
/// - Boxes that show a part of an object move it as a whole (`Extent`).
/// - What was lost is also looked for where it is not expected (`Reappearance`), and by weak detections.
/// - Ids are given by evidence: a newcomer within an object in sight, or near a lost one, may be a piece of it, or it under
///   another class, and waits longer.
///
/// ```swift
/// var tracker = Tracker()
/// let tracked = tracker.update(detections, at: frame.captureTime)
/// ```
public struct Tracker: Sendable {
    /// What a differing class means for matching.
    public enum ClassRule: Sendable, Hashable {
        /// Lessens the overlap: detectors that flicker between "car" and "truck" keep the id, yet of two objects that
        /// overlap (a rider and the bicycle) each keeps its own.
        case prefer
        /// Never match.
        case require
        /// Look at boxes only.
        case ignore
    }

    public struct Configuration: Sendable, Hashable {
        /// Confidence from which a detection starts a track and takes part in the first association.
        public var trackActivationThreshold: Float = 0.25
        /// Confidence below which a detection is not looked at; between both it can only continue a track.
        public var lowConfidenceFloor: Float = 0.1
        /// How long an unseen object is remembered. Must be longer than the time between frames. At most ten minutes.
        public var lostTrackBuffer: Duration = .milliseconds(1200)
        /// 1 − the least overlap (IoU) of prediction and detection in the first association.
        public var minimumMatchingThreshold: Float = 0.8
        /// Sightings in a row before an object gets an id, more where confidence is low. The stream's first frame gives ids at
        /// once, but to what may be a piece of another object.
        public var minimumConsecutiveFrames = 2
        public var classRule = ClassRule.prefer
        /// Of one frame, most confident first; the others stay untracked. At most 2,000.
        public var maximumDetections = 300
        /// Followed at once, lost ones included. At most 4,000.
        public var maximumTracks = 600

        public init() {}
    }

    /// Boxes beyond it, in pixels, are not looked at.
    static let maximumCoordinate = 1e6
    /// Least overlap of the second association (low confidence), as in the paper.
    static let secondOverlap = 0.5
    /// Least overlap of the third (tracks without an id yet), as in the paper.
    static let tentativeOverlap = 0.3
    /// Share of the overlap that counts where classes differ and neither rules the other out. Of a weak detection the class is
    /// as doubtful as the box: halved, its overlap could never be enough.
    static let differingClass = 0.5, differingWeakClass = 0.7
    /// Confidence that each of the `minimumConsecutiveFrames` must have on average, or more frames must give in sum.
    static let evidencePerFrame: Float = 0.6
    /// Sum of confidences that a newcomer must have which may be a piece of another object.
    static let doubtfulEvidence: Float = 5
    /// Share of the smaller one of two boxes that lies within the other: from here on it may be a piece of it.
    static let pieceShare: Float = 0.7
    /// Two tracks that overlap more than this are one object, as in the paper.
    static let duplicateOverlap = 0.85

    public let configuration: Configuration
    var live: [LiveTrack] = []
    /// What the picture holds at least, as far as boxes were seen in it.
    private var view = Box(x: 0, y: 0, width: 0, height: 0)
    private let buffer: Double
    private var clock: Int64?
    private var nextID: UInt64 = 1

    public init(_ configuration: Configuration = Configuration()) {
        var bounded = configuration
        bounded.minimumConsecutiveFrames = max(1, configuration.minimumConsecutiveFrames)
        bounded.maximumDetections = min(max(0, configuration.maximumDetections), 2000)
        bounded.maximumTracks = min(max(0, configuration.maximumTracks), 4000)
        bounded.lostTrackBuffer = min(max(.zero, configuration.lostTrackBuffer), .seconds(600))
        self.configuration = bounded
        buffer = bounded.lostTrackBuffer / .seconds(1)
    }

    /// Confirmed tracks in order of their ids, lost ones within the buffer included.
    public var tracks: [Track] { live.compactMap(\.published).sorted { $0.id < $1.id } }

    /// Takes the detections of the stream's next frame.
    ///
    /// Time that stands still or steps back counts as none passed; a step back of more than the lost buffer is a stream
    /// that started again: everything is forgotten, ids go on.
    ///
    /// - Parameter captureTime: microseconds, from any start.
    /// - Returns: the same detections in the same order; those of confirmed tracks carry `trackID`, the others nil.
    public mutating func update(_ detections: [Detection], at captureTime: Int64) -> [Detection] {
        let isFirst = advance(to: captureTime)
        var frame = Association(detections, configuration)
        view = frame.widened(view)

        // Strong detections first; weak ones only continue what they overlap well.
        frame.match(
            &live, live.indices.filter { live[$0].id != nil }, .strong,
            overlap: 1 - Double(configuration.minimumMatchingThreshold))
        frame.match(
            &live, live.indices.filter { live[$0].id != nil && !frame.isSeen($0) }, .weak, overlap: Self.secondOverlap)
        frame.match(&live, live.indices.filter { live[$0].id == nil }, .strong, overlap: Self.tentativeOverlap)

        lose(live.indices.filter { !frame.isSeen($0) })
        for position in frame.unmatchedStrong where makeRoom(keeping: &frame) {
            live.append(LiveTrack(detections[position]))
            frame.assign(position, to: live.count - 1)
        }
        recover(&frame)
        for index in live.indices where live[index].id == nil && isReady(index, atOnce: isFirst) {
            live[index].id = nextID
            nextID += 1
        }

        let answer = frame.answer(live)
        live.removeAll { $0.id == nil && $0.isLost }
        removeDuplicates()
        return answer
    }

    /// Predicts everything to the frame's time. True for the first frame of a stream.
    private mutating func advance(to captureTime: Int64) -> Bool {
        guard let before = clock else {
            clock = captureTime
            return true
        }
        clock = captureTime
        let (difference, overflow) = captureTime.subtractingReportingOverflow(before)
        let seconds = Double(difference) / 1e6
        if overflow || seconds < -buffer {
            live.removeAll()
            view = Box(x: 0, y: 0, width: 0, height: 0)
            return true
        }
        var gone = Set<Int>()
        for index in live.indices {
            let isRemembered = live[index].unseen + max(0, seconds) <= buffer
            if !isRemembered || !live[index].predict(max(0, seconds)) { gone.insert(index) }
        }
        remove(gone)
        return false
    }

    /// What this frame does not show. Where it goes says how far it is looked for.
    private mutating func lose(_ missing: [Int]) {
        let lost = missing.filter { live[$0].id != nil && !live[$0].isLost }
        for index in missing { live[index].miss() }
        for index in lost {
            let box = live[index].box
            live[index].mayBeHidden =
                live[index].isPiece || live.contains { !$0.isLost && $0.id != nil && $0.box.sharedPart(box) > 0 }
        }
    }

    /// Newcomers that are objects which were lost take their place.
    private mutating func recover(_ frame: inout Association) {
        let lost = live.indices.filter { live[$0].id != nil && live[$0].isLost }
        let newcomers = live.indices.filter { live[$0].id == nil && !live[$0].isLost }
        guard !lost.isEmpty, !newcomers.isEmpty else { return }
        var pairs: [Assignment.Pair] = []
        for (row, newcomer) in newcomers.enumerated() {
            for (column, index) in lost.enumerated() {
                let likeness = Reappearance.likeness(live[newcomer], live[index], view, configuration.classRule)
                if likeness > 0 { pairs.append(Assignment.Pair(row: row, column: column, benefit: likeness)) }
            }
        }
        let columns = Assignment.best(rows: newcomers.count, columns: lost.count, pairs: pairs)
        for (row, column) in columns.enumerated() {
            guard let column else { continue }
            let newcomer = newcomers[row], index = lost[column]
            live[newcomer].resume(live[index])
            live[index] = live[newcomer]
            frame.move(from: newcomer, to: index)
            live[newcomer].id = nil
            live[newcomer].miss()
        }
    }

    /// Whether there is enough evidence that a newcomer is an object of its own.
    private func isReady(_ index: Int, atOnce: Bool) -> Bool {
        let newcomer = live[index], frames = configuration.minimumConsecutiveFrames
        guard !newcomer.isLost, atOnce || newcomer.streak >= frames,
            atOnce || newcomer.evidence >= Self.evidencePerFrame * Float(frames)
        else { return false }
        return newcomer.evidence >= Self.doubtfulEvidence
            || !live.contains { other in
                guard other.id != nil, configuration.classRule != .require || newcomer.classID == other.classID
                else { return false }
                if other.isLost { return Reappearance.distance(newcomer, other, view) < 1 }
                return newcomer.box.sharedPart(other.box) >= Self.pieceShare
            }
    }

    /// False when all places are taken by objects in sight; the longest unseen gives way.
    private mutating func makeRoom(keeping frame: inout Association) -> Bool {
        guard live.count >= configuration.maximumTracks else { return true }
        guard let oldest = live.indices.filter({ live[$0].isLost }).max(by: { live[$0].unseen < live[$1].unseen })
        else { return false }
        live.remove(at: oldest)
        frame.trackRemoved(oldest)
        return true
    }

    /// A lost track that lies upon one which began after the loss is the same object; the one seen more often stays.
    ///
    /// The paper also drops lost tracks upon older ones: then an object that is hidden while it crosses another loses
    /// its id.
    private mutating func removeDuplicates() {
        var doomed = Set<Int>()
        for lost in live.indices where live[lost].isLost {
            for seen in live.indices where !live[seen].isLost && live[seen].id != nil {
                guard live[seen].age <= live[lost].unseen,
                    Double(live[lost].box.iou(live[seen].box)) > Self.duplicateOverlap
                else { continue }
                doomed.insert(live[lost].sightings > live[seen].sightings ? seen : lost)
            }
        }
        remove(doomed)
    }

    private mutating func remove(_ indices: Set<Int>) {
        guard !indices.isEmpty else { return }
        live = live.enumerated().filter { !indices.contains($0.offset) }.map(\.element)
    }
}
