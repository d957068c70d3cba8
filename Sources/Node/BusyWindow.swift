import NIOCore

/// Which share of their time workers were at work, over the last seconds. A value: time is passed in.
///
/// It learns when it is asked, so two who ask at different times see the same.
struct BusyWindow: Sendable {
    /// At least so long is looked back, once there is so much.
    static let length = TimeAmount.seconds(10)
    /// Who asks more often adds nothing.
    static let step = TimeAmount.seconds(1)

    private struct Sample: Sendable {
        var time: NIODeadline
        var busy: TimeAmount
    }

    private var samples: [Sample]
    private let workers: Int

    /// - Parameter start: no worker has worked before.
    init(workers: Int, start: NIODeadline) {
        self.workers = workers
        samples = [Sample(time: start, busy: .zero)]
    }

    /// - Parameter busy: of all workers together since `start`.
    /// - Returns: 0 to 1.
    mutating func ratio(_ busy: TimeAmount, now: NIODeadline) -> Double {
        while samples.count > 1, now - samples[1].time >= Self.length { samples.removeFirst() }
        let first = samples[0]
        if let last = samples.last, now - last.time >= Self.step { samples.append(Sample(time: now, busy: busy)) }
        let time = now - first.time
        guard time > .zero else { return 0 }
        return min(1, Double((busy - first.busy).nanoseconds) / (Double(time.nanoseconds) * Double(workers)))
    }
}
