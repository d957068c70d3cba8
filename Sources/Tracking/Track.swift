public import Messages

/// A confirmed track, as it stands after the last update.
public struct Track: Sendable, Hashable {
    public var id: UInt64
    /// Of the whole object: filtered, or predicted while it is not seen. The detection's own box may show a part.
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
    var extent: Extent
    /// Confidences of all sightings.
    var evidence: Float
    /// Sightings without a miss between them.
    var streak = 1
    var sightings = 1
    /// Seconds since the first sighting, and since the last.
    var age = 0.0
    var unseen = 0.0
    /// The last update did not see it.
    var isLost = false
    /// The last sighting showed a part of it.
    var isPiece = false
    /// It was lost where something may hide it: as a piece, or upon an object in sight. Otherwise it was lost in the open.
    var mayBeHidden = false
    var label = LabelVote()
    var classification = LabelVote()

    init(_ detection: Detection) {
        filter = MotionFilter(detection.box)
        box = detection.box
        classID = detection.classID
        extent = Extent(detection.box)
        evidence = detection.confidence
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
        let whole = extent.whole(detection.box, expected: box)
        filter.correct(whole)
        box = filter.box ?? whole
        streak += 1
        sightings += 1
        evidence += detection.confidence
        isPiece = extent.isPiece(detection.box)
        extent.take(detection.box, after: unseen, sightings: sightings)
        unseen = 0
        isLost = false
        vote(detection)
        classID = label.winner?.classID ?? detection.classID
    }

    mutating func miss() {
        isLost = true
        streak = 0
    }

    /// This is an object that was known before. Where it is and how it moves says the newcomer alone.
    mutating func resume(_ lost: LiveTrack) {
        id = lost.id
        age = lost.age
        sightings += lost.sightings
        evidence += lost.evidence
        extent.unite(lost.extent)
        label.unite(lost.label)
        classification.unite(lost.classification)
        classID = label.winner?.classID ?? classID
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

extension Box {
    /// Share of the smaller one of both that lies within the other, 0…1.
    func sharedPart(_ other: Box) -> Float {
        let w = min(x + width, other.x + other.width) - max(x, other.x)
        let h = min(y + height, other.y + other.height) - max(y, other.y)
        let smaller = min(area, other.area)
        return w > 0 && h > 0 && smaller > 0 ? w * h / smaller : 0
    }
}
