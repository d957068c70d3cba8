import NIOCore
import RPC

/// What a worker does with requests. It is made on the worker's thread and never leaves it.
protocol BatchRunner: SendableMetatype {
    associatedtype Work: Sendable
    associatedtype Answer: Sendable

    /// One batch through one lane. Drops requests that nobody waits for any more.
    /// - Parameters:
    ///   - model: index of the lane.
    ///   - place: where it works.
    /// - Returns: one result for each job, in their order.
    mutating func run(_ jobs: [Job<Work>], model: Int, at place: Workplace<Self>) -> [Result<Answer, RPCError>]

    /// A part of it was left out: how long it took says nothing of the whole.
    static func isPartial(_ answer: Answer) -> Bool
}

extension BatchRunner {
    static func isPartial(_ answer: Answer) -> Bool { false }
}

/// Where a worker has its batch: beside others who may have nothing to do, for a part of it, and watched over.
struct Workplace<Runner>: Sendable {
    /// Runs on the helper's thread, with its runner.
    /// - Parameter getsOn: as the worker's own.
    typealias Errand = @Sendable (inout Runner, _ getsOn: () -> Void) -> Void

    /// - Returns: to be called when the worker itself comes to the errand: false: nobody has begun it, and nobody will; true: it
    ///   was waited for.
    let lend: @Sendable (@escaping Errand, _ latestStart: NIODeadline) -> @Sendable () -> Bool
    /// To be called between passes: who does not for too long is taken for lost.
    let getsOn: @Sendable () -> Void

    /// Nobody helps, nobody watches.
    static var alone: Workplace { Workplace(lend: { _, _ in { false } }, getsOn: {}) }

    /// Lets others do a part of the batch: a worker that sleeps at once, or else the first that has nothing to do before this one
    /// comes to it.
    /// - Parameter latestStart: begun later it would keep the rest of the batch for too long.
    func offer(until latestStart: NIODeadline = .distantFuture, _ errand: @escaping Errand) -> Offer {
        Offer(reclaim: lend(errand, latestStart))
    }

    /// A part of a batch that another worker may do.
    struct Offer: Sendable {
        fileprivate let reclaim: @Sendable () -> Bool

        /// Waits until it is done, if somebody has begun it.
        /// - Returns: false: nobody has, and nobody will.
        func isDone() -> Bool { reclaim() }
    }
}
