internal import Messages

/// What an object measures where nothing is in its way.
///
/// A box that is much shorter was cut off at one side, by what stands in front or by the picture's edge, and one that is much
/// longer has run together with a neighbour's. Its middle is not the object's: it would seem to slow down while it slides
/// behind a wall. The side that is nearer to where it is expected is still the object's own, and the other follows from the
/// size.
struct Extent: Sendable {
    /// Of the known size: boxes outside it show less, or more, than the object.
    static let trusted = 0.85...1.3
    /// Seconds in which a smaller size is believed, and a greater one.
    static let shrinking = 1.0, growing = 0.2
    /// In its first sightings an object may just come into view: a greater size is believed at once.
    static let firstSightings = 3

    private(set) var width: Double
    private(set) var height: Double

    init(_ box: Box) {
        width = Double(box.width)
        height = Double(box.height)
    }

    /// Whether a box shows less than the object.
    func isPiece(_ seen: Box) -> Bool {
        Double(seen.width) < Self.trusted.lowerBound * width || Double(seen.height) < Self.trusted.lowerBound * height
    }

    /// The whole object, of which `seen` may be a part.
    func whole(_ seen: Box, expected: Box) -> Box {
        let (x, wide) = Self.whole(seen.x, seen.width, middle: expected.x + expected.width / 2, size: width)
        let (y, high) = Self.whole(seen.y, seen.height, middle: expected.y + expected.height / 2, size: height)
        return Box(x: x, y: y, width: wide, height: high)
    }

    private static func whole(_ start: Float, _ length: Float, middle: Float, size: Double) -> (Float, Float) {
        guard !trusted.contains(Double(length) / size) else { return (start, length) }
        let size = Float(size)
        let missesStart = abs(start - (middle - size / 2)), missesEnd = abs(start + length - (middle + size / 2))
        return (missesStart <= missesEnd ? start : start + length - size, size)
    }

    /// - Parameter seconds: since the sighting before.
    mutating func take(_ seen: Box, after seconds: Double, sightings: Int) {
        let less = min(1, seconds / Self.shrinking)
        let more = sightings <= Self.firstSightings ? 1 : min(1, seconds / Self.growing)
        let wider = Double(seen.width) - width, higher = Double(seen.height) - height
        width += wider * (wider > 0 ? more : less)
        height += higher * (higher > 0 ? more : less)
    }

    /// Of one object that was seen in two parts.
    mutating func unite(_ other: Extent) {
        width = max(width, other.width)
        height = max(height, other.height)
    }
}
