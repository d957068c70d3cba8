import NIOCore
import RPC

/// What a worker does with requests. It is made on the worker's thread and never leaves it.
protocol BatchRunner: SendableMetatype {
    associatedtype Work: Sendable
    associatedtype Answer: Sendable

    /// One batch through one model. Drops requests that nobody waits for any more.
    /// - Parameter model: index of the model.
    /// - Returns: one result for each job, in their order.
    mutating func run(_ jobs: [Job<Work>], model: Int) -> [Result<Answer, RPCError>]
}
