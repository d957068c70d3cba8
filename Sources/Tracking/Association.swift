internal import Messages

/// Which detection of one frame belongs to which track.
struct Association {
    enum Strength { case strong, weak }

    private let detections: [Detection]
    private let rule: Tracker.ClassRule
    /// Positions in `detections`, most confident first.
    private var strong: [Int] = []
    private var weak: [Int] = []
    /// For each detection, its track's index.
    private var trackOf: [Int?]
    /// By index of the track; those beyond the end are not.
    private var seen: [Bool] = []

    init(_ detections: [Detection], _ configuration: Tracker.Configuration) {
        self.detections = detections
        rule = configuration.classRule
        trackOf = Array(repeating: nil, count: detections.count)
        var usable = detections.indices.filter { Self.isUsable(detections[$0], configuration) }
        usable.sort { (-detections[$0].confidence, $0) < (-detections[$1].confidence, $1) }
        for position in usable.prefix(configuration.maximumDetections) {
            if detections[position].confidence >= configuration.trackActivationThreshold {
                strong.append(position)
            } else {
                weak.append(position)
            }
        }
    }

    /// Comparisons are written so that NaN fails them.
    private static func isUsable(_ detection: Detection, _ configuration: Tracker.Configuration) -> Bool {
        let box = detection.box
        let limit = Float(Tracker.maximumCoordinate)
        let floor = min(configuration.lowConfidenceFloor, configuration.trackActivationThreshold)
        return detection.confidence >= floor && detection.confidence <= .greatestFiniteMagnitude
            && abs(box.x) <= limit && abs(box.y) <= limit
            && box.width > 0 && box.width <= limit && box.height > 0 && box.height <= limit
    }

    /// A view, from the picture's corner, that holds these detections too.
    func widened(_ view: Box) -> Box {
        var view = view
        for position in strong {
            let box = detections[position].box
            view.width = max(view.width, box.x + box.width)
            view.height = max(view.height, box.y + box.height)
        }
        return view
    }

    func isSeen(_ track: Int) -> Bool { track < seen.count && seen[track] }

    /// Strong detections that no track explains, most confident first.
    var unmatchedStrong: [Int] { strong.filter { trackOf[$0] == nil } }

    /// Pairs tracks with the detections still free, and lets the tracks see them.
    mutating func match(_ live: inout [LiveTrack], _ tracks: [Int], _ strength: Strength, overlap: Double) {
        let free = (strength == .strong ? strong : weak).filter { trackOf[$0] == nil }
        guard !tracks.isEmpty, !free.isEmpty else { return }
        let rows = Rows(tracks, live)
        var pairs: [Assignment.Pair] = []
        for (column, position) in free.enumerated() {
            let detection = detections[position]
            // Confidence weighs only among strong ones, as in the paper; weak ones are equally doubtful.
            let weight = strength == .strong ? Double(min(detection.confidence, 1)) : 1
            rows.near(detection.box) { row, track in
                let similarity = similarity(track, detection, strength)
                guard similarity > 0, similarity >= overlap else { return }
                pairs.append(Assignment.Pair(row: row, column: column, benefit: similarity * weight))
            }
        }
        let columns = Assignment.best(rows: tracks.count, columns: free.count, pairs: pairs)
        for (row, column) in columns.enumerated() {
            guard let column else { continue }
            live[tracks[row]].see(detections[free[column]])
            assign(free[column], to: tracks[row])
        }
    }

    mutating func assign(_ position: Int, to track: Int) {
        trackOf[position] = track
        while seen.count <= track { seen.append(false) }
        seen[track] = true
    }

    /// What one track saw another one saw.
    mutating func move(from track: Int, to other: Int) {
        for position in trackOf.indices where trackOf[position] == track { assign(position, to: other) }
    }

    /// A track in front of others left the list.
    mutating func trackRemoved(_ index: Int) {
        for position in trackOf.indices {
            if let track = trackOf[position], track > index { trackOf[position] = track - 1 }
        }
        if index < seen.count { seen.remove(at: index) }
    }

    func answer(_ live: [LiveTrack]) -> [Detection] {
        detections.indices.map { position in
            var detection = detections[position]
            detection.trackID = trackOf[position].flatMap { live[$0].id }
            return detection
        }
    }

    private func similarity(_ track: Rows.Track, _ detection: Detection, _ strength: Strength) -> Double {
        let overlap = Double(track.box.iou(detection.box))
        if rule == .ignore || track.classID == detection.classID { return overlap }
        guard rule == .prefer else { return 0 }
        return overlap * (strength == .strong ? Tracker.differingClass : Tracker.differingWeakClass)
    }
}

/// Tracks from left to right: boxes overlap only if they share columns of the picture, so that few others have to be
/// looked at.
private struct Rows {
    struct Track {
        var row: Int
        var box: Box
        var classID: Int
    }

    private var tracks: [Track]
    private let widest: Float

    init(_ indices: [Int], _ live: [LiveTrack]) {
        tracks = indices.enumerated().map { Track(row: $0, box: live[$1].box, classID: live[$1].classID) }
        tracks.sort { ($0.box.x, $0.row) < ($1.box.x, $1.row) }
        widest = tracks.reduce(0) { max($0, $1.box.width) }
    }

    /// Those whose columns may be the box's, and the rows that they stand in.
    func near(_ box: Box, _ body: (_ row: Int, _ track: Track) -> Void) {
        var low = 0, high = tracks.count
        while low < high {
            let middle = (low + high) / 2
            if tracks[middle].box.x + widest < box.x { low = middle + 1 } else { high = middle }
        }
        for track in tracks[low...] {
            guard track.box.x <= box.x + box.width else { break }
            body(track.row, track)
        }
    }
}
