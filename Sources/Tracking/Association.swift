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
    private var seen = Set<Int>()

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

    func isSeen(_ track: Int) -> Bool { seen.contains(track) }

    /// Strong detections that no track explains, most confident first.
    var unmatchedStrong: [Int] { strong.filter { trackOf[$0] == nil } }

    /// Pairs tracks with the detections still free, and lets the tracks see them.
    mutating func match(_ live: inout [LiveTrack], _ tracks: [Int], _ strength: Strength, overlap: Double) {
        let free = (strength == .strong ? strong : weak).filter { trackOf[$0] == nil }
        guard !tracks.isEmpty, !free.isEmpty else { return }
        var benefit = [Double](repeating: 0, count: tracks.count * free.count)
        for (row, track) in tracks.enumerated() {
            for (column, position) in free.enumerated() {
                let similarity = similarity(live[track], detections[position])
                guard similarity > 0, similarity >= overlap else { continue }
                // Confidence weighs only among strong ones, as in the paper; weak ones are equally doubtful.
                let weight = strength == .strong ? Double(min(detections[position].confidence, 1)) : 1
                benefit[row * free.count + column] = similarity * weight
            }
        }
        let columns = Assignment.best(rows: tracks.count, columns: free.count, benefit: benefit)
        for (row, column) in columns.enumerated() {
            guard let column else { continue }
            live[tracks[row]].see(detections[free[column]])
            assign(free[column], to: tracks[row])
        }
    }

    mutating func assign(_ position: Int, to track: Int) {
        trackOf[position] = track
        seen.insert(track)
    }

    /// A track in front of others left the list.
    mutating func trackRemoved(_ index: Int) {
        for position in trackOf.indices {
            if let track = trackOf[position], track > index { trackOf[position] = track - 1 }
        }
        seen = Set(seen.map { $0 > index ? $0 - 1 : $0 })
    }

    func answer(_ live: [LiveTrack]) -> [Detection] {
        detections.indices.map { position in
            var detection = detections[position]
            detection.trackID = trackOf[position].flatMap { live[$0].id }
            return detection
        }
    }

    private func similarity(_ track: LiveTrack, _ detection: Detection) -> Double {
        let overlap = Double(track.box.iou(detection.box))
        if rule == .ignore || track.classID == detection.classID { return overlap }
        return rule == .require ? 0 : overlap / 2
    }
}
