import NIOCore

/// Decides how many of the requests that wait for one lane run together, and when. A value: time is passed in.
///
/// The numbers mean what Triton's of the same names mean. A batch of a preferred size runs at once; without preferred sizes the
/// largest one, `maxBatchSize`, is preferred. What fills none waits until its oldest request has waited `maxQueueDelay`, and
/// then all of it runs, up to `maxBatchSize`. With a delay of zero nothing waits: what is there runs.
struct Batcher: Sendable {
    struct Candidate {
        var arrival: NIODeadline
        var deadline: NIODeadline?
    }

    enum Decision: Equatable {
        /// `most`: inputs that the batch may have.
        case run(most: Int)
        case wait(until: NIODeadline)
    }

    var maxBatchSize: Int
    let preferredBatchSizes: [Int]
    let maxQueueDelay: TimeAmount

    init(maxBatchSize: Int, preferredBatchSizes: [Int] = [], maxQueueDelay: TimeAmount) {
        self.maxBatchSize = maxBatchSize
        self.preferredBatchSizes = preferredBatchSizes
        self.maxQueueDelay = maxQueueDelay
    }

    /// The largest preferred size that so many inputs fill; nil: they fill none.
    private func preferredSize(of inputs: Int) -> Int? {
        let possible = preferredBatchSizes.filter { $0 <= maxBatchSize }
        return possible.isEmpty ? (inputs >= maxBatchSize ? maxBatchSize : nil) : possible.filter { $0 <= inputs }.max()
    }

    /// The batch that runs without a look at its requests, however long they have waited; nil: they count.
    func decide(inputs: Int) -> Decision? {
        let preferred = preferredSize(of: inputs)
        if maxQueueDelay <= .zero { return .run(most: preferred ?? maxBatchSize) }
        return preferred == maxBatchSize ? .run(most: maxBatchSize) : nil
    }

    /// - Parameters:
    ///   - waiting: all of it, in any order; not empty.
    ///   - inputs: pictures, or regions of a picture, that it has.
    ///   - inputTime: of one input on a worker, as far as is known: a batch starts early enough for its deadlines.
    func decide(
        _ waiting: some Sequence<Candidate>, inputs: Int, inputTime: TimeAmount, now: NIODeadline
    ) -> Decision {
        if let decision = decide(inputs: inputs) { return decision }
        var until = NIODeadline.distantFuture
        let needed = TimeAmount.nanoseconds(clamping: Double(inputTime.nanoseconds) * Double(inputs))
        for candidate in waiting {
            until = min(until, candidate.arrival + maxQueueDelay)
            if let deadline = candidate.deadline { until = min(until, deadline - needed) }
        }
        if until <= now { return .run(most: maxBatchSize) }
        return preferredSize(of: inputs).map { .run(most: $0) } ?? .wait(until: until)
    }

    /// Whether a request goes into a batch that has `inputs` already. One larger than a batch runs alone.
    func takes(_ more: Int, after inputs: Int, most: Int) -> Bool { inputs == 0 || inputs + more <= most }
}
