import NIOCore

/// Requests that wait for a worker, the rule who may wait, and the count of what became of each. A value: its owner
/// holds the lock, brings the time, and answers whatever comes out.
///
/// ```
///            offer                 take
///  request ────────▶ waiting ───────────────▶ running ──finish──▶ completed, expired or cancelled
///     └▶ refused        ├─ deadline ─▶ expired
///                       └─ remove ───▶ cancelled, or expired
/// ```
struct WorkQueue<Payload: Sendable>: Sendable {
    struct Entry: Sendable {
        let id: UInt64
        /// Index of the model.
        let model: Int
        /// Pictures, or regions of a picture.
        let inputs: Int
        let arrival: NIODeadline
        let deadline: NIODeadline?
        let payload: Payload
    }

    /// What a worker that has nothing to do shall do.
    enum Action: Sendable {
        /// All of one model.
        case run([Entry])
        case wait(until: NIODeadline)
        case sleep
    }

    /// How an admitted request ended.
    enum End { case completed, expired, cancelled }

    private var waiting: [[Entry]]
    private var waitingInputs: [Int]
    private var runningInputs: [Int]
    private var serviceTimes: [ServiceTime]
    /// Of each model.
    private(set) var batchers: [Batcher]
    private let admission: Admission
    private(set) var depth = 0
    private(set) var running = 0
    private(set) var accepted: UInt64 = 0
    private(set) var refused: UInt64 = 0
    private(set) var completed: UInt64 = 0
    private(set) var expired: UInt64 = 0
    private(set) var cancelled: UInt64 = 0

    /// - Parameter batchers: one for each model.
    init(admission: Admission, batchers: [Batcher]) {
        self.admission = admission
        self.batchers = batchers
        waiting = Array(repeating: [], count: batchers.count)
        waitingInputs = Array(repeating: 0, count: batchers.count)
        runningInputs = Array(repeating: 0, count: batchers.count)
        serviceTimes = Array(repeating: ServiceTime(), count: batchers.count)
    }

    private var load: Admission.Load {
        var load = Admission.Load(waiting: depth, running: running)
        for (model, time) in serviceTimes.enumerated() where time.mean > 0 {
            load.waitingCost += Double(waitingInputs[model]) * time.mean
            load.runningCost += Double(runningInputs[model]) * time.mean
        }
        return load
    }

    /// Until the turn of a request that would come now.
    var estimatedWait: TimeAmount { admission.wait(behind: load) }

    /// Admits a request, at the time of its arrival, or refuses it.
    mutating func offer(_ entry: Entry) throws(Admission.Refusal) {
        do {
            let cost = serviceTimes[entry.model].mean * Double(entry.inputs)
            try admission.check(deadline: entry.deadline, cost: cost, behind: load, now: entry.arrival)
        } catch {
            refused += 1
            throw error
        }
        accepted += 1
        depth += 1
        waiting[entry.model].append(entry)
        waitingInputs[entry.model] += entry.inputs
    }

    /// Takes out what waited beyond its deadline; each must be told.
    mutating func expire(now: NIODeadline) -> [Entry] {
        guard depth > 0 else { return [] }
        var late: [Entry] = []
        for model in waiting.indices {
            waiting[model].removeAll { entry in
                guard let deadline = entry.deadline, deadline <= now else { return false }
                late.append(entry)
                waitingInputs[model] -= entry.inputs
                return true
            }
        }
        depth -= late.count
        expired += UInt64(late.count)
        return late
    }

    /// What a free worker shall do. Of the models that have a batch to run, the one whose oldest request waits longest
    /// comes first. Call `expire` before.
    mutating func take(now: NIODeadline) -> Action {
        var best: (model: Int, count: Int, arrival: NIODeadline)?
        var earliest: NIODeadline?
        for model in waiting.indices {
            guard let oldest = waiting[model].first else { continue }
            let candidates = waiting[model].lazy.map {
                Batcher.Candidate(inputs: $0.inputs, arrival: $0.arrival, deadline: $0.deadline)
            }
            let inputTime = TimeAmount.nanoseconds(clamping: serviceTimes[model].mean)
            switch batchers[model].decide(candidates, inputTime: inputTime, now: now) {
            case .run(let count):
                if best.map({ oldest.arrival < $0.arrival }) ?? true { best = (model, count, oldest.arrival) }
            case .wait(let until): earliest = min(earliest ?? until, until)
            }
        }
        guard let best else { return earliest.map { .wait(until: $0) } ?? .sleep }
        let batch = Array(waiting[best.model].prefix(best.count))
        waiting[best.model].removeFirst(best.count)
        depth -= batch.count
        running += batch.count
        let inputs = batch.reduce(0) { $0 + $1.inputs }
        waitingInputs[best.model] -= inputs
        runningInputs[best.model] += inputs
        return .run(batch)
    }

    /// Takes a request out whose client is gone; nil if it does not wait any more.
    mutating func remove(_ id: UInt64, now: NIODeadline) -> (entry: Entry, end: End)? {
        for model in waiting.indices {
            guard let index = waiting[model].firstIndex(where: { $0.id == id }) else { continue }
            let entry = waiting[model].remove(at: index)
            depth -= 1
            waitingInputs[model] -= entry.inputs
            let end: End = entry.deadline.map { $0 <= now } ?? false ? .expired : .cancelled
            count(end)
            return (entry, end)
        }
        return nil
    }

    /// Takes out all that wait, for the end of the node.
    mutating func removeAll() -> [Entry] {
        let all = waiting.flatMap { $0 }
        for model in waiting.indices {
            waiting[model] = []
            waitingInputs[model] = 0
        }
        depth = 0
        cancelled += UInt64(all.count)
        return all
    }

    /// A batch that `take` gave has run.
    /// - Parameters:
    ///   - ends: of each, in its order.
    ///   - elapsed: worker time.
    mutating func finish(_ batch: [Entry], _ ends: [End], elapsed: TimeAmount) {
        guard let model = batch.first?.model else { return }
        running -= batch.count
        runningInputs[model] -= batch.reduce(0) { $0 + $1.inputs }
        for end in ends { count(end) }
        let inputs = zip(batch, ends).reduce(0) { $1.1 == .completed ? $0 + $1.0.inputs : $0 }
        // What was dropped half-way says nothing about how long work takes.
        if inputs > 0 { serviceTimes[model].record(elapsed, inputs: inputs) }
    }

    /// What a worker learned of a model when it loaded it.
    /// - Parameters:
    ///   - maxBatchSize: 1 where batches differ from their singles.
    ///   - passTime: of a full batch.
    mutating func learn(model: Int, maxBatchSize: Int, passTime: TimeAmount) {
        batchers[model].maxBatchSize = min(batchers[model].maxBatchSize, max(1, maxBatchSize))
        serviceTimes[model].record(passTime, inputs: maxBatchSize)
    }

    private mutating func count(_ end: End) {
        switch end {
        case .completed: completed += 1
        case .expired: expired += 1
        case .cancelled: cancelled += 1
        }
    }
}
