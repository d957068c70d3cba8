import NIOCore

/// Calls an action on its loop again and again, from `start` until `stop` or until it is let go. The times of all tickers with the
/// same interval fall into a few steps of it, so that a loop with many quiet connections sleeps between them.
final class LoopTicker {
    private static let steps: Int64 = 8

    private let interval: TimeAmount
    private let loop: any EventLoop
    private var next: Scheduled<Void>?

    init(every interval: TimeAmount, on loop: any EventLoop) {
        self.interval = interval
        self.loop = loop
    }

    func start(_ action: @escaping () -> Void) { start(at: first, action) }

    private var first: NIODeadline {
        (loop.now + interval).roundedUp(to: .nanoseconds(interval.nanoseconds / Self.steps))
    }

    private func start(at time: NIODeadline, _ action: @escaping () -> Void) {
        next = loop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in
            guard let self else { return action() }
            let due = time + interval
            // What a busy loop has missed is not made up for.
            start(at: due > loop.now ? due : first, action)
            action()
        }
    }

    func stop() {
        next?.cancel()
        next = nil
    }
}
