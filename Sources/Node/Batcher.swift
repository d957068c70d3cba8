import NIOCore

/// Decides how many of the requests that wait for one model run together, and when. A value: time is passed in.
///
/// `maxBatchSize` and `maxQueueDelay` mean what `max_batch_size` and `max_queue_delay_microseconds` mean to Triton: a
/// full batch runs at once; one that is not full waits until its oldest request has waited `maxQueueDelay`. With a
/// delay of zero nothing waits: what is there runs.
struct Batcher: Sendable {
    struct Candidate {
        var arrival: NIODeadline
        var deadline: NIODeadline?
    }

    enum Decision: Equatable {
        case run
        case wait(until: NIODeadline)
    }

    var maxBatchSize: Int
    let maxQueueDelay: TimeAmount

    /// Whether a batch runs as soon as there is something to run.
    func isFull(_ inputs: Int) -> Bool { maxQueueDelay <= .zero || inputs >= maxBatchSize }

    /// When a batch that is not full runs.
    /// - Parameters:
    ///   - waiting: all of it, in any order; not empty.
    ///   - inputs: pictures, or regions of a picture, that it has.
    ///   - inputTime: of one input on a worker, as far as is known: a batch starts early enough for its deadlines.
    func decide(
        _ waiting: some Sequence<Candidate>, inputs: Int, inputTime: TimeAmount, now: NIODeadline
    ) -> Decision {
        if isFull(inputs) { return .run }
        var until = NIODeadline.distantFuture
        let needed = TimeAmount.nanoseconds(clamping: Double(inputTime.nanoseconds) * Double(inputs))
        for candidate in waiting {
            until = min(until, candidate.arrival + maxQueueDelay)
            if let deadline = candidate.deadline { until = min(until, deadline - needed) }
        }
        return until <= now ? .run : .wait(until: until)
    }

    /// Whether a request goes into a batch that has `inputs` already. One larger than a batch runs alone.
    func takes(_ more: Int, after inputs: Int) -> Bool { inputs == 0 || inputs + more <= maxBatchSize }
}
