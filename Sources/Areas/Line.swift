/// A line across the picture: objects that cross it are counted, each way.
package struct Line: Sendable, Hashable {
    package enum Direction: String, Sendable, Hashable, Codable {
        /// To the right of someone who walks from `from` to `to`, as the picture is seen.
        case forward
        case backward
    }

    package var name: String
    package var from: Point
    package var to: Point
    /// Of the objects that matter here, or of their best class; empty: all.
    package var labels: [String]

    package init(name: String, from: Point, to: Point, labels: [String] = []) {
        self.name = name
        self.from = from
        self.to = to
        self.labels = labels
    }
}

/// A line in pixels, and as far beyond its ends as one looks.
struct Segment: Sendable {
    let from: Point
    let to: Point

    /// True on the right-hand side; nil on the line.
    func isRight(_ point: Point) -> Bool? {
        let turn = point.turn(from: from, to: to)
        return turn == 0 ? nil : turn > 0
    }

    /// To the line, which does not end for this.
    func distance(to point: Point) -> Double {
        let length = from.distance(to: to)
        return length > 0 ? abs(point.turn(from: from, to: to)) / length : point.distance(to: from)
    }

    /// A way from `a` to `b`, known to change sides, goes between the ends.
    func isMet(byWayFrom a: Point, to b: Point) -> Bool {
        let start = from.turn(from: a, to: b)
        let end = to.turn(from: a, to: b)
        return start == 0 || end == 0 || (start > 0) != (end > 0)
    }
}
