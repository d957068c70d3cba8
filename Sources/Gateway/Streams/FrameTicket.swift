import Messages
import NIOCore

/// Goes with one frame. Whoever lets go of it without a word says that the frame is lost; so it is not for who waits.
final class FrameTicket: Sendable {
    enum Outcome: Sendable {
        case answered(AnalyzeResponse, age: Duration)
        /// A newer one took its place before it was sent.
        case replaced
        /// Nobody will say.
        case lost
    }

    /// Waits for what becomes of the frame.
    struct Counterfoil: Sendable {
        fileprivate let future: EventLoopFuture<Outcome>

        /// - Returns: nil if nothing is known by then.
        func outcome(within wait: Duration) async -> Outcome? {
            let first = future.eventLoop.makePromise(of: Outcome?.self)
            let timer = future.eventLoop.scheduleTask(in: TimeAmount(wait)) { first.succeed(nil) }
            future.whenSuccess { outcome in
                timer.cancel()
                first.succeed(outcome)
            }
            return try? await first.futureResult.get()
        }
    }

    private let promise: EventLoopPromise<Outcome>

    init(on loop: any EventLoop) { promise = loop.makePromise() }

    deinit { promise.succeed(.lost) }

    var counterfoil: Counterfoil { Counterfoil(future: promise.futureResult) }

    func resolve(_ outcome: Outcome) { promise.succeed(outcome) }
}
