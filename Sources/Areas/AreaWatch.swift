package import Messages

/// Follows the tracks of one stream or video through its zones and lines.
///
/// An object stands at its anchor, the middle of its box's lower edge. It enters, leaves or crosses when the anchor is
/// beyond the border by a margin, or stays beyond it for a while, so that a box that jitters does not count twice. A
/// track that is not seen any more leaves after a grace. Objects without a track are counted in zones, no more.
///
///     var watch = AreaWatch(areas)
///     for response in answers { for event in watch.see(response) { … } }
package struct AreaWatch: Sendable {
    /// Ids are of their epoch alone.
    private struct Key: Hashable {
        var epoch: UInt32
        var id: UInt64
    }

    private struct Followed {
        var label: String
        var box: Box
        var seen: Int64
        var stays: [Stay]
        var passages: [Passage]
    }

    private struct Crossings {
        var forward = 0
        var backward = 0
    }

    fileprivate struct Moment {
        var time: Int64
        var sequence: UInt64
    }

    /// Microseconds: differences of times still fit.
    private static let farthest = Int64(1) << 60

    package let areas: AreaSet
    private let rules: AreaRules
    private var width = 0
    private var height = 0
    private var polygons: [Polygon] = []
    private var segments: [Segment] = []
    private var tracks: [Key: Followed] = [:]
    /// As last told, of each zone.
    private var counts: [Int]
    private var crossings: [Crossings]
    private var now = Int64.min

    /// - Parameter areas: valid ones.
    package init(_ areas: AreaSet, rules: AreaRules = AreaRules()) {
        self.areas = areas
        self.rules = rules
        counts = Array(repeating: 0, count: areas.zones.count)
        crossings = Array(repeating: Crossings(), count: areas.lines.count)
    }

    /// Tracks that are remembered.
    package var trackCount: Int { tracks.count }

    /// What happens by the next answer. Of frames without an answer, nothing does: nobody knows where objects were.
    package mutating func see(_ response: AnalyzeResponse) -> [AreaEvent] {
        guard !areas.isEmpty, response.status == .ok || response.status == .partial,
            !response.missing.contains("detect")
        else { return [] }
        now = max(now, min(max(response.captureTime, -Self.farthest), Self.farthest))
        let moment = Moment(time: now, sequence: response.sequence)
        measure(response.width, response.height)
        var events: [AreaEvent] = []
        var untracked = Array(repeating: 0, count: areas.zones.count)
        for detection in response.detections {
            guard let anchor = detection.box.anchor else { continue }
            if let id = detection.trackID {
                see(detection, Key(epoch: response.epoch, id: id), anchor, moment, &events)
            } else {
                for (index, zone) in areas.zones.enumerated() where zone.labels.isEmpty || detection.has(zone.labels) {
                    if polygons[index].contains(anchor) { untracked[index] += 1 }
                }
            }
        }
        forget(moment, &events)
        tellCounts(untracked, moment, &events)
        return events
    }

    private mutating func measure(_ width: Int, _ height: Int) {
        guard
            polygons.count != areas.zones.count || segments.count != areas.lines.count
                || width != self.width || height != self.height
        else { return }
        self.width = width
        self.height = height
        let x = areas.normalized ? Double(width) : 1
        let y = areas.normalized ? Double(height) : 1
        polygons = areas.zones.map { Polygon(points: $0.points.map { $0.scaled(x, y) }) }
        segments = areas.lines.map { Segment(from: $0.from.scaled(x, y), to: $0.to.scaled(x, y)) }
    }

    private mutating func see(
        _ detection: Detection, _ key: Key, _ anchor: Point, _ moment: Moment, _ events: inout [AreaEvent]
    ) {
        var track =
            tracks.removeValue(forKey: key) ?? inherited(detection, by: key)
            ?? Followed(
                label: detection.label, box: detection.box, seen: now,
                stays: Array(repeating: Stay(), count: areas.zones.count),
                passages: Array(repeating: Passage(), count: areas.lines.count))
        track.label = detection.label
        track.box = detection.box
        track.seen = now
        let margin = max(1, rules.margin * Double(max(detection.box.width, detection.box.height)))
        for (index, zone) in areas.zones.enumerated() {
            // A label may change by vote; who is inside then may still leave.
            guard zone.labels.isEmpty || track.stays[index].isInside || detection.has(zone.labels) else { continue }
            let news = track.stays[index].see(
                polygons[index].contains(anchor), distance: polygons[index].distance(to: anchor) / margin, at: now,
                settling: rules.settling)
            var event = AreaEvent(.enter, zone.name, key.id, detection.label, moment)
            switch news {
            case .entered: events.append(event)
            case .left(let after):
                event.kind = .leave
                event.seconds = Self.seconds(after)
                events.append(event)
            case nil: break
            }
            if let dwell = zone.dwellSeconds, track.stays[index].reaches(Int64(dwell * 1_000_000), at: now) {
                event.kind = .dwell
                event.seconds = Self.seconds(track.stays[index].duration(at: now))
                events.append(event)
            }
        }
        for (index, line) in areas.lines.enumerated() where line.labels.isEmpty || detection.has(line.labels) {
            let direction = track.passages[index].see(
                anchor, segments[index], margin: margin, at: now, settling: rules.settling)
            guard let direction else { continue }
            switch direction {
            case .forward: crossings[index].forward += 1
            case .backward: crossings[index].backward += 1
            }
            var event = AreaEvent(.cross, line.name, key.id, detection.label, moment)
            event.direction = direction
            event.count = direction == .forward ? crossings[index].forward : crossings[index].backward
            events.append(event)
        }
        tracks[key] = track
    }

    /// The track of another epoch that this one goes on with: a coordinator was lost, the object was not.
    private mutating func inherited(_ detection: Detection, by key: Key) -> Followed? {
        let now = now
        let candidates = tracks.lazy.filter { other, track in
            other.epoch != key.epoch && track.label == detection.label && track.seen < now
        }
        let overlaps = candidates.map { (key: $0.key, overlap: $0.value.box.iou(detection.box)) }
        guard let best = overlaps.max(by: { $0.overlap < $1.overlap }), best.overlap >= rules.sameObject else {
            return nil
        }
        return tracks.removeValue(forKey: best.key)
    }

    private mutating func forget(_ moment: Moment, _ events: inout [AreaEvent]) {
        var gone = tracks.filter { now - $0.value.seen >= rules.grace }.map(\.key)
        let surplus = tracks.count - gone.count - rules.tracks
        if surplus > 0 {
            let lost = Set(gone)
            gone += tracks.filter { !lost.contains($0.key) }.sorted { $0.value.seen < $1.value.seen }.prefix(surplus)
                .map(\.key)
        }
        for key in gone.sorted(by: { ($0.epoch, $0.id) < ($1.epoch, $1.id) }) {
            guard let track = tracks.removeValue(forKey: key) else { continue }
            for (index, zone) in areas.zones.enumerated() where track.stays[index].isInside {
                var event = AreaEvent(.leave, zone.name, key.id, track.label, moment)
                event.seconds = Self.seconds(track.stays[index].duration(at: track.seen))
                events.append(event)
            }
        }
    }

    private mutating func tellCounts(_ untracked: [Int], _ moment: Moment, _ events: inout [AreaEvent]) {
        var inside = untracked
        for track in tracks.values {
            for index in areas.zones.indices where track.stays[index].isInside { inside[index] += 1 }
        }
        for (index, zone) in areas.zones.enumerated() where inside[index] != counts[index] {
            counts[index] = inside[index]
            var event = AreaEvent(.count, zone.name, nil, nil, moment)
            event.count = inside[index]
            events.append(event)
        }
    }

    private static func seconds(_ microseconds: Int64) -> Double { Double(microseconds / 1000) / 1000 }
}

extension AreaEvent {
    fileprivate init(
        _ kind: Kind, _ area: String, _ trackID: UInt64?, _ label: String?, _ moment: AreaWatch.Moment
    ) {
        self.init(
            kind: kind, area: area, trackID: trackID, label: label, atMilliseconds: moment.time / 1000,
            sequence: moment.sequence)
    }
}

extension Detection {
    /// Its label or its best class is one of these.
    fileprivate func has(_ labels: [String]) -> Bool {
        labels.contains(label) || classes.first.map { labels.contains($0.label) } ?? false
    }
}
