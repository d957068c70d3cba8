package import Areas
package import RPC

extension AreaLimits {
    package static let limits: [Limit<AreaLimits>] = [
        Limit("areas", \.areas, .count, "Zones and lines of one stream or video."),
        Limit("area-points", \.points, .count, "Corners of one zone."),
        Limit("area-name", \.name, .count, "Characters of the name of a zone or line."),
        Limit("area-labels", \.labels, .count, "Labels of one zone or line."),
        Limit("area-label", \.label, .count, "Characters of such a label."),
        Limit("area-dwell", \.dwell, in: 1...31_536_000, "Seconds of a stay that is told."),
        Limit("area-coordinate", \.coordinate, in: 1...1_000_000, "The greatest coordinate of a point, in pixels."),
    ]
}

extension AreaRules {
    package static let limits: [Limit<AreaRules>] = [
        Limit("area-tracks", \.tracks, .count, "Tracks that are remembered for zones and lines, lost ones included."),
        Limit("area-grace", \.grace, "A track that is not seen for so long has left."),
        Limit(
            "area-margin", \.margin, in: 0...1,
            "Who is so far beyond a border is across: a share of the box's longer side."),
        Limit("area-settling", \.settling, "Who stays beyond a border for so long is across."),
        Limit(
            "area-same-epoch-overlap", \.sameEpochOverlap, in: 0.01...1,
            "Overlap (IoU) by which an object with a new id is one that was lost."),
        Limit(
            "area-other-epoch-overlap", \.otherEpochOverlap, in: 0.01...1,
            "The same of a track of another epoch, whose ids all began again."),
    ]
}
