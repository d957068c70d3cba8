import Messages
import NIOCore

/// Waits for what becomes of one frame. Whoever lets go of it without a word says that it is lost.
final class FrameTicket: Sendable {
    enum Outcome: Sendable {
        case answered(AnalyzeResponse, age: Duration)
        /// A newer one took its place before it was sent.
        case replaced
        /// Nobody will say.
        case lost
    }

    private let promise: EventLoopPromise<Outcome>

    init(on loop: any EventLoop) { promise = loop.makePromise() }

    deinit { promise.succeed(.lost) }

    func resolve(_ outcome: Outcome) { promise.succeed(outcome) }

    /// - Returns: nil if nothing is known by then.
    func outcome(within wait: Duration) async -> Outcome? {
        let loop = promise.futureResult.eventLoop
        let first = loop.makePromise(of: Outcome?.self)
        let timer = loop.scheduleTask(in: TimeAmount(wait)) { first.succeed(nil) }
        promise.futureResult.whenSuccess { outcome in
            timer.cancel()
            first.succeed(outcome)
        }
        return try? await first.futureResult.get()
    }
}
