/// Frames a second over the last few seconds.
struct RateMeter: Sendable {
    private static let span: Duration = .seconds(5)

    private var marks: [(at: ContinuousClock.Instant, frames: Int64)]

    /// - Parameter frames: done before it starts, which do not count.
    init(start: ContinuousClock.Instant, frames: Int64) { marks = [(start, frames)] }

    /// - Parameter frames: done by now, all in all.
    /// - Returns: the rate; 0 if no time has passed.
    mutating func rate(at now: ContinuousClock.Instant, frames: Int64) -> Double {
        marks.append((now, frames))
        // The newest mark that is old enough is where the span begins.
        while marks.count > 2, now - marks[1].at >= Self.span { marks.removeFirst() }
        let seconds = (now - marks[0].at) / .seconds(1)
        return seconds > 0 ? Double(frames - marks[0].frames) / seconds : 0
    }
}
