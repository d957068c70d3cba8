import NIOCore

/// When to look for calls whose time is over. One timer serves all calls of a connection: it is set for the earliest
/// deadline, and when it fires the owner looks at every call and sets it again. Times are rounded up to steps, so that many
/// calls which end or are hedged one after the other are not looked at for each one of them.
struct DeadlineSweep {
    static let step = TimeAmount.milliseconds(1)
    private(set) var armed: NIODeadline?

    /// - Returns: the timer has to be set to this time.
    mutating func add(_ deadline: NIODeadline) -> NIODeadline? {
        if let armed, armed <= deadline { return nil }
        let time = deadline.roundedUp(to: Self.step)
        // It may be in the step that it is armed for.
        if let armed, armed <= time { return nil }
        armed = time
        return time
    }

    mutating func fired() { armed = nil }
}
