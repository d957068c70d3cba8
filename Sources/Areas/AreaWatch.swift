package import Messages

/// Follows the tracks of one stream or video through its zones and lines.
///
/// An object stands at its anchor, the middle of its box's lower edge. It enters, leaves or crosses when the anchor is
/// beyond the border by a margin, or stays beyond it for a while, so that a box that jitters does not count twice. A
/// track that is not seen any more leaves after a grace; until then whoever takes its place goes on where it was
/// (`Inheritance`). Objects without a track are counted in zones, no more.
///
///     var watch = AreaWatch(areas)
///     for response in answers { for event in watch.see(response) { … } }
package struct AreaWatch: Sendable {
    private struct Crossings {
        var forward = 0
        var backward = 0
    }

    fileprivate struct Moment {
        var time: Int64
        var sequence: UInt64
    }

    /// One detection of a frame, and where it stands.
    private struct Sighting {
        var detection: Detection
        var anchor: Point
    }

    /// Microseconds: differences of times still fit.
    private static let farthest = Int64(1) << 60

    package let areas: AreaSet
    private let rules: AreaRules
    /// Microseconds.
    private let grace: Int64
    private let settling: Int64
    private var width = 0
    private var height = 0
    private var polygons: [Polygon] = []
    private var segments: [Segment] = []
    private var tracks: [FollowedTrack.Key: FollowedTrack] = [:]
    /// As last told, of each zone.
    private var counts: [Int]
    private var crossings: [Crossings]
    private var now = Int64.min
    /// Frames so far. Times may stand still, this does not.
    private var frame: UInt64 = 0
    /// Of the last one.
    private var sequence: UInt64 = 0

    /// - Parameter areas: valid ones.
    package init(_ areas: AreaSet, rules: AreaRules = AreaRules()) {
        self.areas = areas
        self.rules = rules
        grace = rules.grace.wholeMicroseconds
        settling = rules.settling.wholeMicroseconds
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
        frame += 1
        sequence = response.sequence
        let moment = Moment(time: now, sequence: response.sequence)
        measure(response.width, response.height)
        var events: [AreaEvent] = []
        // Who is known comes first: whoever is seen leaves no place to take.
        var newcomers: [(key: FollowedTrack.Key, sighting: Sighting)] = []
        var nameless: [Sighting] = []
        for detection in response.detections {
            guard let anchor = detection.box.anchor else { continue }
            let sighting = Sighting(detection: detection, anchor: anchor)
            guard let id = detection.trackID else {
                nameless.append(sighting)
                continue
            }
            let key = FollowedTrack.Key(epoch: response.epoch, id: id)
            if tracks[key] == nil {
                newcomers.append((key, sighting))
            } else {
                follow(sighting, key, moment, &events)
            }
        }
        take(newcomers, response.epoch, moment, &events)
        let untracked = count(nameless, response.epoch, moment, &events)
        forget(moment, &events)
        tellCounts(untracked, moment, &events)
        return events
    }

    /// Zones and lines behind the last answer, in a frame of this size.
    package func figures(width: Int, height: Int) -> [AreaFigure] {
        let x = areas.normalized ? Double(width) : 1
        let y = areas.normalized ? Double(height) : 1
        let zones = zip(areas.zones, counts).map { zone, count in
            AreaFigure(name: zone.name, points: zone.points.map { $0.scaled(x, y) }, isZone: true, counts: [count])
        }
        let lines = zip(areas.lines, crossings).map { line, crossings in
            AreaFigure(
                name: line.name, points: [line.from.scaled(x, y), line.to.scaled(x, y)], isZone: false,
                counts: [crossings.forward, crossings.backward])
        }
        return zones + lines
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
        // A picture so low has no rows to tell apart, and one without a size none at all.
        let edge = height > 2 ? Double(height) : .infinity
        polygons = areas.zones.map { zone in Polygon(points: zone.points.map { $0.scaled(x, y) }, height: edge) }
        segments = areas.lines.map { Segment(from: $0.from.scaled(x, y), to: $0.to.scaled(x, y)) }
    }

    // MARK: Who it is

    /// Tracks with new ids: each goes on with an unseen one in whose place it is, or begins.
    private mutating func take(
        _ newcomers: [(key: FollowedTrack.Key, sighting: Sighting)], _ epoch: UInt32, _ moment: Moment,
        _ events: inout [AreaEvent]
    ) {
        let heirs = heirs(newcomers.map(\.sighting), epoch)
        for (index, (key, sighting)) in newcomers.enumerated() {
            if tracks[key] == nil {
                tracks[key] =
                    heirs[index].flatMap { tracks.removeValue(forKey: $0) }
                    ?? FollowedTrack(sighting.detection, zones: areas.zones.count, lines: areas.lines.count)
            }
            follow(sighting, key, moment, &events)
        }
    }

    /// Objects without an id: each stands for an unseen track in whose place it is, or is one more.
    /// - Returns: how many more there are in each zone.
    private mutating func count(
        _ nameless: [Sighting], _ epoch: UInt32, _ moment: Moment, _ events: inout [AreaEvent]
    ) -> [Int] {
        let heirs = heirs(nameless, epoch)
        var untracked = Array(repeating: 0, count: areas.zones.count)
        for (index, sighting) in nameless.enumerated() {
            if let key = heirs[index] {
                follow(sighting, key, moment, &events)
                continue
            }
            for (index, zone) in areas.zones.enumerated()
            where zone.labels.isEmpty || sighting.detection.has(zone.labels) {
                if polygons[index].contains(sighting.anchor) { untracked[index] += 1 }
            }
        }
        return untracked
    }

    private func heirs(_ sightings: [Sighting], _ epoch: UInt32) -> [Int: FollowedTrack.Key] {
        guard !sightings.isEmpty else { return [:] }
        let unseen = tracks.filter { $0.value.frame < frame }
        return Inheritance(rules).heirs(of: unseen, among: sightings.map(\.detection), epoch: epoch)
    }

    // MARK: What it does

    /// A track that is known is seen again.
    private mutating func follow(
        _ sighting: Sighting, _ key: FollowedTrack.Key, _ moment: Moment, _ events: inout [AreaEvent]
    ) {
        guard var track = tracks.removeValue(forKey: key) else { return }
        let (detection, anchor) = (sighting.detection, sighting.anchor)
        track.label = detection.label
        track.box = detection.box
        track.seen = now
        track.frame = frame
        let margin = max(1, rules.margin * Double(max(detection.box.width, detection.box.height)))
        for (index, zone) in areas.zones.enumerated() {
            // A label may change by vote; who is inside then may still leave.
            guard zone.labels.isEmpty || track.stays[index].isInside || detection.has(zone.labels) else { continue }
            let news = track.stays[index].see(
                polygons[index].contains(anchor), distance: polygons[index].distance(to: anchor) / margin, at: now,
                settling: settling)
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
                anchor, segments[index], margin: margin, at: now, settling: settling)
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

    /// What happens by the end: whoever is inside leaves. Nothing is seen behind it.
    package mutating func end() -> [AreaEvent] {
        guard frame > 0 else { return [] }
        var events: [AreaEvent] = []
        let moment = Moment(time: now, sequence: sequence)
        leave(Array(tracks.keys), moment, &events)
        tellCounts(Array(repeating: 0, count: areas.zones.count), moment, &events)
        return events
    }

    private mutating func forget(_ moment: Moment, _ events: inout [AreaEvent]) {
        var gone = tracks.filter { now - $0.value.seen >= grace }.map(\.key)
        let surplus = tracks.count - gone.count - rules.tracks
        if surplus > 0 {
            let lost = Set(gone)
            gone += tracks.filter { !lost.contains($0.key) }.sorted { $0.value.frame < $1.value.frame }
                .prefix(surplus).map(\.key)
        }
        leave(gone, moment, &events)
    }

    private mutating func leave(_ gone: [FollowedTrack.Key], _ moment: Moment, _ events: inout [AreaEvent]) {
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

extension Duration {
    /// Of a wait that a limit bounds to days.
    fileprivate var wholeMicroseconds: Int64 { Int64(self / .microseconds(1)) }
}
