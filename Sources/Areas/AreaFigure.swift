/// A zone or line as it is shown in a frame.
package struct AreaFigure: Sendable, Hashable {
    package var name: String
    /// Of a zone, its corners; of a line, where it begins and where it ends. Pixels.
    package var points: [Point]
    package var isZone: Bool
    /// Objects in a zone; crossings of a line, forward and backward.
    package var counts: [Int]
}
