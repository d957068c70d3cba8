public import Messages

/// A confirmed track, as it stands after the last update.
public struct Track: Sendable, Hashable {
    public var id: UInt64
    /// Filtered, or predicted while the object is not seen.
    public var box: Box
    /// Pixels per second of the box's centre.
    public var velocityX: Float
    public var velocityY: Float
    /// By vote over the sightings; its confidence is the winner's share.
    public var label: Classification
    /// The same vote over the best class of each sighting's own `classes`, when it had any.
    public var classification: Classification?
    /// Time since the last sighting; zero when the last update saw it.
    public var unseen: Duration
    /// Sightings so far.
    public var sightings: Int
}

/// One object that is followed, confirmed or not.
struct LiveTrack: Sendable {
    /// nil until confirmed.
    var id: UInt64?
    var filter: MotionFilter
    var box: Box
    var classID: Int
    /// Sightings without a miss between them.
    var streak = 1
    var sightings = 1
    /// Seconds since the first sighting, and since the last.
    var age = 0.0
    var unseen = 0.0
    /// The last update did not see it.
    var isLost = false
    var label = LabelVote()
    var classification = LabelVote()

    init(_ detection: Detection) {
        filter = MotionFilter(detection.box)
        box = detection.box
        classID = detection.classID
        vote(detection)
    }

    /// False when the prediction makes no sense any more.
    mutating func predict(_ seconds: Double) -> Bool {
        if isLost { filter.holdSize() }
        filter.predict(seconds)
        age += seconds
        unseen += seconds
        guard let predicted = filter.box else { return false }
        box = predicted
        return true
    }

    mutating func see(_ detection: Detection) {
        filter.correct(detection.box)
        box = filter.box ?? detection.box
        unseen = 0
        isLost = false
        streak += 1
        sightings += 1
        vote(detection)
        classID = label.winner?.classID ?? detection.classID
    }

    mutating func miss() {
        isLost = true
        streak = 0
    }

    private mutating func vote(_ detection: Detection) {
        label.add(classID: detection.classID, label: detection.label, confidence: detection.confidence)
        if let best = detection.classes.first {
            classification.add(classID: best.classID, label: best.label, confidence: best.confidence)
        }
    }

    /// nil unless confirmed.
    var published: Track? {
        guard let id, let name = label.winner else { return nil }
        let velocity = filter.velocity
        return Track(
            id: id, box: box, velocityX: Float(velocity.x), velocityY: Float(velocity.y), label: name,
            classification: classification.winner, unseen: .seconds(unseen), sightings: sightings)
    }
}
