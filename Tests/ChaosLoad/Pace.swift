import NIOCore
import Synchronization

/// When frames are to be sent: at even distances, whatever becomes of earlier ones (an open loop).
struct Pace: Sendable {
    var start: NIODeadline
    let interval: TimeAmount

    /// - Parameter rate: frames a second.
    init(start: NIODeadline, rate: Double) {
        self.start = start
        interval = .nanoseconds(Int64(1e9 / rate))
    }

    func time(of number: UInt64) -> NIODeadline { start + .nanoseconds(interval.nanoseconds * Int64(number)) }

    /// Waits for the turn of a frame.
    /// - Returns: when that was; nil if no more shall be sent, or the task was cancelled.
    func turn(_ number: UInt64, until stop: Stop) async -> NIODeadline? {
        let time = time(of: number)
        // In parts, so that a stop is seen.
        while !stop.hasCome, time > .now() {
            let part = min(time - .now(), .milliseconds(100))
            do { try await Task.sleep(nanoseconds: UInt64(max(0, part.nanoseconds))) } catch { return nil }
        }
        return stop.hasCome ? nil : time
    }
}

/// No more frames; those that were sent are still waited for.
final class Stop: Sendable {
    private let flag = Atomic(false)
    /// Then it comes by itself.
    let at: NIODeadline

    init(at: NIODeadline) { self.at = at }

    var hasCome: Bool { flag.load(ordering: .relaxed) || NIODeadline.now() >= at }
    func come() { flag.store(true, ordering: .relaxed) }
}
