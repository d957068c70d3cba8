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
