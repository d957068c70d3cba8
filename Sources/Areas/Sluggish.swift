/// On which of two sides an object is, as one may rely on: a box that jitters at a border stays where it was.
struct Sluggish: Sendable {
    private(set) var side: Bool
    /// Since when it was always seen on the other side, microseconds.
    private var otherSince: Int64?

    init(_ side: Bool) { self.side = side }

    /// - Parameters:
    ///   - seen: the side it is on by its anchor.
    ///   - distance: of the anchor from the border, in margins.
    /// - Returns: true if it has changed sides by this.
    mutating func see(_ seen: Bool, distance: Double, at time: Int64, settling: Int64) -> Bool {
        guard seen != side else {
            otherSince = nil
            return false
        }
        let since = otherSince ?? time
        guard distance >= 1 || time - since >= settling else {
            otherSince = since
            return false
        }
        side = seen
        otherSince = nil
        return true
    }
}
