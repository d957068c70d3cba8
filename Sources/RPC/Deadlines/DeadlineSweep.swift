import NIOCore

/// When to look for calls whose time is over. One timer serves all calls of a connection: it is set for the earliest
/// deadline, and when it fires the owner looks at every call and sets it again.
struct DeadlineSweep {
    private(set) var armed: NIODeadline?

    /// - Returns: the timer has to be set to this time.
    mutating func add(_ deadline: NIODeadline) -> NIODeadline? {
        if let armed, armed <= deadline { return nil }
        armed = deadline
        return deadline
    }

    mutating func fired() { armed = nil }
}
