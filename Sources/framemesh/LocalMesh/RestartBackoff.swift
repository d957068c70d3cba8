/// How long to wait before a child is started again: longer each time, and from the start once it ran for a while.
struct RestartBackoff: Sendable, Hashable {
    static let initial: Duration = .milliseconds(100)
    static let maximum: Duration = .seconds(10)
    /// A run of this length counts as a good one.
    static let stable: Duration = .seconds(30)

    private var next = Self.initial

    mutating func delay(afterRunning time: Duration) -> Duration {
        if time >= Self.stable { next = Self.initial }
        defer { next = min(next * 2, Self.maximum) }
        return next
    }
}
