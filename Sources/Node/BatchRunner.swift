import Dispatch
import NIOCore
import RPC

/// What a worker does with requests. It is made on the worker's thread and never leaves it.
protocol BatchRunner: SendableMetatype {
    associatedtype Work: Sendable
    associatedtype Answer: Sendable

    /// One batch through one model. Drops requests that nobody waits for any more.
    /// - Parameters:
    ///   - model: index of the model.
    ///   - helpers: other workers, for a part of it.
    /// - Returns: one result for each job, in their order.
    mutating func run(_ jobs: [Job<Work>], model: Int, helpers: Helpers<Self>) -> [Result<Answer, RPCError>]
}

/// Workers that have nothing to do, for a part of another one's batch.
struct Helpers<Runner>: Sendable {
    /// Runs on the helper's thread, with its runner.
    typealias Errand = @Sendable (inout Runner) -> Void

    let find: @Sendable (@escaping Errand) -> DispatchSemaphore?

    /// Nobody helps.
    static var none: Helpers { Helpers { _ in nil } }

    /// - Returns: what to wait for; nil: nobody is free, and it was not begun.
    func ask(_ errand: @escaping Errand) -> DispatchSemaphore? { find(errand) }
}
