import NIOCore

/// Decides how many of the requests that wait for one model run together, and when. A value: time is passed in.
///
/// `maxBatchSize` and `maxQueueDelay` mean what `max_batch_size` and `max_queue_delay_microseconds` mean to Triton: a
/// full batch runs at once; one that is not full waits until its oldest request has waited `maxQueueDelay`. With a
/// delay of zero nothing waits: what is there runs.
struct Batcher: Sendable {
    struct Candidate {
        /// Pictures, or regions of a picture.
        var inputs: Int
        var arrival: NIODeadline
        var deadline: NIODeadline?
    }

    enum Decision: Equatable {
        /// The oldest so many.
        case run(Int)
        case wait(until: NIODeadline)
    }

    var maxBatchSize: Int
    let maxQueueDelay: TimeAmount

    /// - Parameters:
    ///   - waiting: oldest first, not empty.
    ///   - inputTime: of one input on a worker, as far as is known: a batch starts early enough for its deadlines.
    func decide(_ waiting: some Collection<Candidate>, inputTime: TimeAmount, now: NIODeadline) -> Decision {
        var count = 0
        var inputs = 0
        var isFull = false
        var earliest = NIODeadline.distantFuture
        for candidate in waiting {
            // A request larger than a batch runs alone.
            if count > 0, inputs + candidate.inputs > maxBatchSize {
                isFull = true
                break
            }
            count += 1
            inputs += candidate.inputs
            if let deadline = candidate.deadline { earliest = min(earliest, deadline) }
            if inputs >= maxBatchSize {
                isFull = true
                break
            }
        }
        guard !isFull, maxQueueDelay > .zero, let oldest = waiting.first else { return .run(count) }
        let needed = TimeAmount.nanoseconds(clamping: Double(inputTime.nanoseconds) * Double(inputs))
        let until = min(oldest.arrival + maxQueueDelay, earliest - needed)
        return until <= now ? .run(count) : .wait(until: until)
    }
}
