/// What somebody may ask to be watched.
package struct AreaLimits: Sendable, Hashable {
    /// Zones and lines together.
    package var areas = 32
    /// Corners of one zone.
    package var points = 64
    /// Characters of a name.
    package var name = 64
    /// Labels of one zone or line.
    package var labels = 100
    /// Characters of a label.
    package var label = 100
    /// Seconds of a stay.
    package var dwell = 86_400.0
    /// The greatest coordinate, in pixels, either way.
    package var coordinate = 65_536.0

    package init() {}
}

/// How tracks are watched.
package struct AreaRules: Sendable, Hashable {
    /// Tracks that are remembered, lost ones included. The one that was unseen for longest leaves when there are more.
    package var tracks = 1024
    /// A track that is not seen for this long has left, microseconds.
    package var grace: Int64 = 2_000_000
    /// An object has changed sides when it is this far beyond the border, as a part of its box's longer side...
    package var margin = 0.05
    /// ...or stays beyond it for this long, microseconds.
    package var settling: Int64 = 500_000
    /// A track of another epoch goes on as a new one whose box overlaps it at least so (intersection over union).
    package var sameObject: Float = 0.3

    package init() {}
}
