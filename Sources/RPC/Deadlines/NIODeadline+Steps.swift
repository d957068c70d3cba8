package import NIOCore

extension NIODeadline {
    /// The first multiple of `step` from here on: what is due in one step can be done in one turn of an event loop, which wakes up
    /// once for all of it. A time so far off that there is none stays as it is.
    package func roundedUp(to step: TimeAmount) -> NIODeadline {
        let length = UInt64(max(step.nanoseconds, 1))
        let past = uptimeNanoseconds % length
        guard past > 0, self < .distantFuture - step else { return self }
        return self + .nanoseconds(Int64(length - past))
    }
}
