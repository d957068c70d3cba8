/// Capture times of a live source that is begun again and again: wall-clock time at each beginning, the source's own
/// distances from there, and always rising.
package struct LiveClock: Sendable {
    private var base: Int64 = 0
    private var last = Int64.min
    /// The wall clock, when it was last ahead of the time that had passed.
    private var wall: (time: Int64, at: ContinuousClock.Instant)?

    package init() {}

    /// The source begins: the zero of its times is then, microseconds since 1970.
    package mutating func begin(at zero: Int64) { base = max(zero, last == .min ? zero : last + 1) }

    /// - Parameter time: of a frame, since the source's beginning, microseconds.
    package mutating func time(_ time: Int64) -> Int64 {
        let (sum, isTooLarge) = base.addingReportingOverflow(time)
        last = max(isTooLarge ? base : sum, last == .min ? .min : last + 1)
        return last
    }

    /// Of a frame that has no time of its own. Where the wall clock is set back, time goes on as it passes.
    /// - Parameters:
    ///   - now: by the wall clock, microseconds since 1970.
    ///   - instant: read behind `now`: what lies between them would stay ahead for good.
    package mutating func arrival(now: Int64, at instant: ContinuousClock.Instant) -> Int64 {
        var time = now
        if let wall { time = max(now, wall.time + Int64((instant - wall.at) / .microseconds(1))) }
        if time == now { wall = (now, instant) }
        last = max(time, last == .min ? time : last + 1)
        return last
    }
}
