import NIOCore

/// Calls an action on its loop again and again, from `start` until `stop` or until it is let go.
final class LoopTicker {
    private let interval: TimeAmount
    private let loop: any EventLoop
    private var next: Scheduled<Void>?

    init(every interval: TimeAmount, on loop: any EventLoop) {
        self.interval = interval
        self.loop = loop
    }

    func start(_ action: @escaping () -> Void) {
        next = loop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
            self?.start(action)
            action()
        }
    }

    func stop() {
        next?.cancel()
        next = nil
    }
}
