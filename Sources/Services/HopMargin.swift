/// What is kept back of a frame's time for the way home, so that an answer that says what is missing arrives before the
/// client gives up: a share, since who has a lot of time is often further away, within bounds.
public struct HopMargin: Sendable, Hashable {
    public var share = 0.05
    public var least: Duration = .milliseconds(5)
    public var most: Duration = .milliseconds(250)

    public init() {}

    /// - Parameter time: from the frame's arrival to its deadline. At least half of it is left for the nodes.
    public func margin(of time: Duration) -> Duration { max(.zero, min(max(time * share, least), most, time / 2)) }
}
