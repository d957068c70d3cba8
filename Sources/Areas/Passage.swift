/// One track and one line.
struct Passage: Sendable {
    /// nil while it was only seen on the line itself.
    private var side: Sluggish?
    /// Where it was last seen beside the line, and on which side.
    private var last: (point: Point, isRight: Bool)?
    /// Ways between the line's ends since it settled, to the right less to the left.
    private var net = 0

    /// The direction in which the line is crossed by this, if it is.
    mutating func see(_ point: Point, _ line: Segment, margin: Double, at time: Int64, settling: Int64) -> Line
        .Direction?
    {
        guard let isRight = line.isRight(point) else { return nil }
        defer { last = (point, isRight) }
        guard let last, side != nil else {
            side = Sluggish(isRight)
            return nil
        }
        if last.isRight != isRight, line.isMet(byWayFrom: last.point, to: point) { net += isRight ? 1 : -1 }
        let changed =
            side?.see(isRight, distance: line.distance(to: point) / margin, at: time, settling: settling) == true
        guard changed else {
            // Back, and well away: what it did at the border is forgotten.
            if side?.side == isRight, line.distance(to: point) >= margin { net = 0 }
            return nil
        }
        defer { net = 0 }
        return net == 0 ? nil : net > 0 ? .forward : .backward
    }
}
