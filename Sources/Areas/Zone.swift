/// A part of the picture: what stands in it is counted, and how long it stays is timed.
package struct Zone: Sendable, Hashable {
    package var name: String
    /// The corners of a polygon, which closes by itself. Where its sides cross each other, even-odd decides.
    package var points: [Point]
    /// Of the objects that matter here, or of their best class; empty: all.
    package var labels: [String]
    /// A stay of this many seconds is told, once; nil: none is.
    package var dwellSeconds: Double?

    package init(name: String, points: [Point], labels: [String] = [], dwellSeconds: Double? = nil) {
        self.name = name
        self.points = points
        self.labels = labels
        self.dwellSeconds = dwellSeconds
    }
}

/// A zone's border in pixels.
///
/// The lower edge of the picture is none: who is cut off by it stands on it, as boxes end there, and in truth beyond.
struct Polygon: Sendable {
    let points: [Point]
    /// Of the picture.
    var height = Double.infinity

    /// Nobody is taken to stand lower, so that zones which end at the edge, or one pixel before, have whoever stands on it.
    private var lowest: Double { height - 1.5 }

    /// Even-odd: a ray from `point` to the right meets the border an odd number of times.
    func contains(_ point: Point) -> Bool {
        let y = min(point.y, lowest)
        var inside = false
        eachSide { a, b in
            guard (a.y > y) != (b.y > y) else { return }
            if point.x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x { inside.toggle() }
        }
        return inside
    }

    /// To the nearest point of the border.
    func distance(to point: Point) -> Double {
        var nearest = Double.infinity
        eachSide { a, b in
            guard min(a.y, b.y) <= lowest else { return }
            nearest = min(nearest, point.distance(toSegment: a, b))
        }
        return nearest
    }

    /// All corners on one line: nothing can be inside.
    var isFlat: Bool {
        guard let first = points.first, let other = points.first(where: { $0 != first }) else { return true }
        return points.allSatisfy { $0.turn(from: first, to: other) == 0 }
    }

    private func eachSide(_ body: (Point, Point) -> Void) {
        guard var previous = points.last else { return }
        for point in points {
            body(previous, point)
            previous = point
        }
    }
}
