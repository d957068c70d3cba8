/// Leaves out frames beyond a rate, by their own times.
struct FramePace: Sendable {
    /// Microseconds from frame to frame; nil: all go.
    private let step: Int64?
    private var next = Int64.min

    init(maxFrameRate: Double?) { step = maxFrameRate.map { Int64(1_000_000 / $0) } }

    /// - Parameter time: microseconds, rising.
    mutating func wants(_ time: Int64) -> Bool {
        guard let step else { return true }
        guard time >= next else { return false }
        // A source that just reaches the rate loses none by its jitter.
        next = max(next == .min ? time : next, time - step / 2) + step
        return true
    }
}
