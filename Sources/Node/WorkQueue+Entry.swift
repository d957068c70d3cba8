import NIOCore
import RPC
import Services

extension WorkQueue {
    struct Entry: Sendable {
        let id: UInt64
        let client: CallOrigin
        let priority: FramePriority
        /// Index of the lane.
        let model: Int
        /// Pictures, or regions of a picture.
        let inputs: Int
        let arrival: NIODeadline
        let deadline: NIODeadline?
        /// What is due first comes first of one client's. Later than the deadline where the frame may be asked for elsewhere then.
        let due: UInt64
        let payload: Payload
        /// Estimated worker time, nanoseconds; the queue's.
        var cost = 0.0
        /// Begun later, it would not be done by its deadline, as far as is known; the queue's.
        var latestStart = NIODeadline.distantFuture

        init(
            id: UInt64, client: CallOrigin, priority: FramePriority = .live, model: Int, inputs: Int,
            arrival: NIODeadline, deadline: NIODeadline?, due: NIODeadline? = nil, payload: Payload
        ) {
            self.id = id
            self.client = client
            self.priority = priority
            self.model = model
            self.inputs = inputs
            self.arrival = arrival
            self.deadline = deadline
            self.due = (due ?? deadline ?? arrival + Self.assumedTime).uptimeNanoseconds
            self.payload = payload
        }

        /// In the order of its client's requests one without a deadline counts as if it had this, or it might wait for ever.
        private static var assumedTime: TimeAmount { .seconds(30) }
    }

    /// What a worker that has nothing to do shall do.
    enum Action: Sendable {
        /// All of one lane.
        case run([Entry])
        case wait(until: NIODeadline)
        case sleep
    }

    /// How a request ended. `partial`: answered without what there was no time for. `unfit`: it was told what is wrong with its
    /// picture. `failed`: a fault of ours.
    enum End { case completed, partial, unfit, failed, expired, cancelled }
}

extension WorkQueue.End {
    init<Answer>(_ result: Result<Answer, RPCError>, isPartial: (Answer) -> Bool = { _ in false }) {
        switch result {
        case .success(let answer) where isPartial(answer): self = .partial
        case .failure(let error) where error.code == .deadlineExceeded: self = .expired
        case .failure(let error) where error.code == .cancelled: self = .cancelled
        case .failure(let error) where error.code == .invalidArgument: self = .unfit
        case .failure: self = .failed
        case .success: self = .completed
        }
    }
}
