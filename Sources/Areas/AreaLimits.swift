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
