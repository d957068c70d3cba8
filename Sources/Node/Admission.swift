import NIOCore
import RPC

/// Decides who may wait. A value: the queue says how much work lies ahead, the caller what time it is.
///
/// A request is refused at once if the queue is full, or if its deadline would pass before its turn is over. With a
/// worker free it is never refused for its deadline: the estimate may be old, and only work that runs renews it.
struct Admission: Sendable {
    /// Work that lies ahead of a newcomer.
    struct Load {
        /// Requests.
        var waiting = 0
        /// Workers that have a batch.
        var busy = 0
        /// Estimated worker time of those that wait, and of those that run; nanoseconds.
        var waitingCost = 0.0
        var runningCost = 0.0
    }

    enum Refusal: Error, Equatable {
        /// `wait`: until all that wait have had their turn.
        case full(waiting: Int, limit: Int, wait: TimeAmount)
        case late(remaining: TimeAmount, wait: TimeAmount)
        case expired
    }

    let limit: Int
    let workers: Int

    /// Until a newcomer's turn. What runs is half done, on average.
    func wait(behind load: Load) -> TimeAmount {
        if load.waiting == 0, load.busy < workers { return .zero }
        return .nanoseconds(clamping: (load.waitingCost + load.runningCost / 2) / Double(workers))
    }

    func isFull(_ waiting: Int) -> Bool { waiting >= limit }

    /// That live requests leave to batch ones.
    var placesOfBatch: Int { limit < 2 ? 0 : max(1, limit / 8) }

    /// - Parameter cost: the newcomer's own estimated worker time, nanoseconds.
    func check(
        deadline: NIODeadline?, cost: Double, behind load: Load, now: NIODeadline
    ) throws(Refusal) {
        guard let deadline else { return }
        if deadline <= now { throw .expired }
        let wait = wait(behind: load)
        guard wait > .zero else { return }
        let remaining = deadline - now
        if Double(wait.nanoseconds) + cost > Double(remaining.nanoseconds) {
            throw .late(remaining: remaining, wait: wait)
        }
    }
}

extension RPCError {
    /// RESOURCE_EXHAUSTED sends a coordinator to another node, which may be less busy; with the deadline gone no node
    /// can help. Its pushback is the time in which half of what waits will be done: then there is room for some, and
    /// still enough to do.
    init(_ refusal: Admission.Refusal) {
        switch refusal {
        case .full(let waiting, let limit, let wait):
            self = RPCError(.resourceExhausted, "queue is full: \(waiting) frames wait (limit \(limit))")
                .pushingBack(.nanoseconds(wait.nanoseconds / 2))
        case .late(let remaining, let wait):
            self = RPCError(
                .resourceExhausted,
                "deadline in \(remaining.inMilliseconds) cannot be met: about \(wait.inMilliseconds) of work wait"
            ).pushingBack(.nanoseconds(wait.nanoseconds / 2))
        case .expired: self.init(.deadlineExceeded, "deadline passed before the frame was queued")
        }
    }
}

extension RPCError {
    static let expiredInQueue = RPCError(.deadlineExceeded, "deadline passed while the frame waited")

    /// Another node may be less busy.
    static func lateInQueue(behind wait: TimeAmount) -> RPCError {
        RPCError(.resourceExhausted, "deadline cannot be met: others had their turn while the frame waited")
            .pushingBack(.nanoseconds(wait.nanoseconds / 2))
    }
}
