/// How long a frame that all nodes were too full for waits before it is tried again. A value: chance is passed in.
public struct RoomWait: Sendable, Hashable {
    /// However soon a node says that there will be room.
    public var least: Duration = .milliseconds(10)
    /// However late: others may be done sooner.
    public var most: Duration = .milliseconds(500)

    public init() {}

    /// - Parameters:
    ///   - pushback: what the node asked for.
    ///   - remaining: of the frame's time. It is asked for again while there is some, and sooner towards the end.
    /// - Returns: nil: it is over.
    func wait(
        _ pushback: Duration?, remaining: Duration, using random: inout some RandomNumberGenerator
    ) -> Duration? {
        guard remaining > least else { return nil }
        // Those that were refused together do not come back together.
        let asked = (pushback ?? least) * Double.random(in: 0.75...1.25, using: &random)
        return min(max(min(asked, most), least), max(remaining / 2, least))
    }
}
