/// Frames whose latency was not seen whole, since they were on their way when a measurement began or ended.
package struct CutFrames: Sendable {
    /// At the begin: the ages of those that were answered later, or had no answer at the end either.
    package private(set) var begun = LatencyHistogram()
    /// At the end: the ages of those that had no answer.
    package private(set) var unanswered = LatencyHistogram()
    /// Of these, those that were due and not sent yet.
    package private(set) var unsent: UInt64 = 0

    package init() {}

    /// One was on its way for so long at the begin.
    package mutating func add(begun age: Duration) { begun.record(age) }

    /// One had no answer at the end, so long after it was planned.
    package mutating func add(unanswered age: Duration) { unanswered.record(age) }

    /// These were planned before the end, and not sent by then.
    package mutating func add(unsent ages: LatencyHistogram) {
        unanswered.add(ages)
        unsent += ages.count
    }
}
