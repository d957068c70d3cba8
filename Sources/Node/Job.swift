import NIOCore
import RPC
import Synchronization

/// One request on its way through the node: what to do, until when, and whether its client still waits.
struct Job<Work: Sendable>: Sendable {
    let work: Work
    let deadline: NIODeadline?
    let cancellation = Cancellation()

    /// - Throws: CANCELLED or DEADLINE_EXCEEDED when `step` would be done for nobody.
    func check(before step: String, now: NIODeadline) throws(RPCError) {
        // First the deadline: a call is also cancelled when it has passed.
        if let deadline, deadline <= now { throw RPCError(.deadlineExceeded, "deadline passed before \(step)") }
        if cancellation.isCancelled { throw RPCError(.cancelled, "call was cancelled before \(step)") }
    }
}

/// Set by the task of a call, read by the worker that has its request.
final class Cancellation: Sendable {
    private let flag = Atomic(false)
    var isCancelled: Bool { flag.load(ordering: .relaxed) }
    func cancel() { flag.store(true, ordering: .relaxed) }
}
