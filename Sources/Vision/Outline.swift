/// A part of the picture that is watched, and what is said of it: the border of a zone, or a line across the picture.
public struct Outline: Sendable, Hashable {
    public struct Corner: Sendable, Hashable {
        public var x: Float
        public var y: Float

        public init(x: Float, y: Float) {
            self.x = x
            self.y = y
        }
    }

    /// Pixels.
    public var corners: [Corner]
    /// A zone, whose last corner is joined to its first. Otherwise a line, which has an arrow to the right of someone who
    /// walks along it.
    public var isClosed: Bool
    public var text: String

    public init(_ corners: [Corner], isClosed: Bool, text: String) {
        self.corners = corners
        self.isClosed = isClosed
        self.text = text
    }
}
