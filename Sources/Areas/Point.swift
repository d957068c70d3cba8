import Messages

/// A place in a picture: pixels of the frame as displayed, or fractions of its sides; origin top left.
package struct Point: Sendable, Hashable {
    package var x: Double
    package var y: Double

    package init(_ x: Double, _ y: Double) {
        self.x = x
        self.y = y
    }

    var isFinite: Bool { x.isFinite && y.isFinite }

    func scaled(_ width: Double, _ height: Double) -> Point { Point(x * width, y * height) }

    func distance(to other: Point) -> Double {
        ((x - other.x) * (x - other.x) + (y - other.y) * (y - other.y)).squareRoot()
    }

    /// To the nearest point of the segment from `a` to `b`.
    func distance(toSegment a: Point, _ b: Point) -> Double {
        let dx = b.x - a.x
        let dy = b.y - a.y
        let length = dx * dx + dy * dy
        guard length > 0 else { return distance(to: a) }
        let along = min(max(((x - a.x) * dx + (y - a.y) * dy) / length, 0), 1)
        return distance(to: Point(a.x + along * dx, a.y + along * dy))
    }

    /// Twice the area of the triangle from `a` over `b` to here: positive to the right of someone who walks from `a` to
    /// `b`, as the picture is seen (y grows downwards).
    func turn(from a: Point, to b: Point) -> Double { (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x) }
}

extension Box {
    /// Where an object stands: the middle of the lower edge; nil where the box has numbers that are none.
    var anchor: Point? {
        let point = Point(Double(x) + Double(width) / 2, Double(y) + Double(height))
        return point.isFinite && width.isFinite && height.isFinite ? point : nil
    }
}
