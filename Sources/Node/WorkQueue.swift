import NIOCore
import RPC
import Services

/// Requests that wait for a worker, the rule who may wait, and the count of what became of each. A value: its owner
/// holds the lock, brings the time, and answers whatever comes out.
///
/// Live requests come before batch ones, which are kept a share of the worker time (`PriorityTurns`) and of the places. Clients of
/// one priority take turns, by the worker time that their requests cost (`FairLine`), and of one client's requests that comes first
/// that is due first. A full queue has room for a client with fewer requests than the one with the most, whose last gives way.
///
/// ```
///            offer                 take
///  request ────────▶ waiting ───────────────▶ running ──finish──▶ completed, expired or cancelled
///     └▶ refused        ├─ deadline, or too late to begin ─▶ expired
///                       ├─ remove ───▶ cancelled, or expired
///                       └─ offer of another client, or of a live one ─▶ displaced
/// ```
struct WorkQueue<Payload: Sendable>: Sendable {
    private var waiting: PriorityLines<Payload>
    private var turns = PriorityTurns()
    private var runningInputs: [Int]
    private var serviceTimes: [ServiceTime]
    /// Of each lane.
    private(set) var batchers: [Batcher]
    private let admission: Admission
    /// No request that waits has a deadline before it.
    private var earliestDeadline = NIODeadline.distantFuture
    /// Nor has one to begin before this, to be done by its deadline.
    private var earliestStart = NIODeadline.distantFuture
    /// Requests.
    private(set) var running = 0
    /// Batches, each on a worker of its own.
    private var busy = 0
    private(set) var counts = WorkCounts()

    /// What a request of a lane that never ran is taken to cost; nanoseconds. Until then all cost the same.
    private static var unknownCost: Double { 1e6 }

    /// - Parameters:
    ///   - batchers: one for each lane.
    ///   - inOrderOfArrival: first come, first served; nobody has a share, a priority, or a deadline that counts for it.
    init(admission: Admission, batchers: [Batcher], inOrderOfArrival: Bool = false) {
        self.admission = admission
        self.batchers = batchers
        waiting = PriorityLines(
            lanes: batchers.count, maxClients: admission.limit, inOrderOfArrival: inOrderOfArrival)
        runningInputs = Array(repeating: 0, count: batchers.count)
        serviceTimes = Array(repeating: ServiceTime(), count: batchers.count)
    }

    var depth: Int { waiting.count }
    /// Requests that may wait.
    var limit: Int { admission.limit }

    // ---- estimates ----

    private func cost(_ inputs: (_ model: Int) -> Int) -> Double {
        serviceTimes.enumerated().reduce(0) { $0 + Double(inputs($1.offset)) * $1.element.mean }
    }

    private func waitingCost(_ priority: FramePriority) -> Double { cost { waiting.inputs(in: $0, priority) } }

    private var load: Admission.Load {
        Admission.Load(
            waiting: depth, busy: busy, waitingCost: cost { waiting.inputs(in: $0) },
            runningCost: cost { runningInputs[$0] })
    }

    /// What runs before a request: of its own client what is due before it, as much of each of the others, if they have so much,
    /// and the share of the other priority beside that.
    private func load(ahead entry: Entry, cost: Double) -> Admission.Load {
        var load = load
        let priority = waiting.priority(of: entry)
        let (own, others) = waiting.ahead(of: entry)
        let same = min(waitingCost(priority), own + Double(others) * (own + cost))
        let beside =
            priority == .live ? PriorityTurns.batch(beside: same) : PriorityTurns.live(beside: same + cost)
        load.waitingCost = same + min(waitingCost(priority.other), beside)
        return load
    }

    /// Until all that wait have had their turn.
    var estimatedWait: TimeAmount { admission.wait(behind: load) }

    // ---- coming ----

    /// Admits a request, at the time of its arrival, or refuses it.
    /// - Returns: the request that gave way to it, to be refused as one that finds the queue full.
    @discardableResult
    mutating func offer(_ entry: Entry) throws(Admission.Refusal) -> Entry? {
        var entry = entry
        let known = serviceTimes[entry.model].mean * Double(entry.inputs)
        entry.cost = known > 0 ? known : Self.unknownCost
        if let deadline = entry.deadline { entry.latestStart = deadline - .nanoseconds(clamping: known) }
        let victim = admission.isFull(depth) ? victim(of: entry) : nil
        do throws(Admission.Refusal) {
            try admission.check(
                deadline: entry.deadline, cost: known, behind: load(ahead: entry, cost: known), now: entry.arrival)
            guard !admission.isFull(depth) || victim != nil else { throw refusalOfFull }
        } catch {
            switch error {
            case .full: counts.full += 1
            case .late: counts.hopeless += 1
            case .expired: counts.overdue += 1
            }
            throw error
        }
        let giving = victim.flatMap { waiting.removeNewest($0) }
        if giving != nil { counts.displaced += 1 }
        counts.accepted += 1
        waiting.add(entry)
        if let deadline = entry.deadline { earliestDeadline = min(earliestDeadline, deadline) }
        earliestStart = min(earliestStart, entry.latestStart)
        return giving
    }

    /// Of which priority a request gives way to this one where the queue is full; nil: of none. Batch requests are kept a share
    /// of the places, or a queue that live ones fill would never let one in.
    private func victim(of entry: Entry) -> FramePriority? {
        let priority = waiting.priority(of: entry)
        let (kept, batch) = (admission.placesOfBatch, waiting.count(of: .batch))
        if priority == .live, batch > kept { return .batch }
        if priority == .batch, batch < kept { return .live }
        let (most, own) = waiting.most(beside: entry)
        return most > own + 1 ? priority : nil
    }

    var refusalOfFull: Admission.Refusal {
        .full(waiting: depth, limit: admission.limit, wait: estimatedWait)
    }

    // ---- going ----

    /// Takes out what waited beyond its deadline; each must be told.
    mutating func expire(now: NIODeadline) -> [Entry] {
        guard earliestDeadline <= now else { return [] }
        let late = waiting.removeAll { $0.deadline.map { $0 <= now } ?? false }
        earliestDeadline = waiting.earliest { $0.deadline }
        counts.expired += UInt64(late.count)
        return late
    }

    /// Takes out what would not be done by its deadline, to be refused as late, where something else waits that would: under
    /// overload workers would run for nobody. If all are late they stay, since the estimate may be, and only work renews it.
    mutating func giveUpLate(now: NIODeadline) -> [Entry] {
        guard earliestStart < now else { return [] }
        guard waiting.contains(where: { $0.latestStart >= now }) else { return [] }
        let given = waiting.removeAll { $0.latestStart < now }
        earliestStart = waiting.earliest { $0.latestStart }
        counts.late += UInt64(given.count)
        return given
    }

    /// Takes a request out whose client is gone; nil if it does not wait any more.
    mutating func remove(_ id: UInt64, now: NIODeadline) -> (entry: Entry, end: End)? {
        guard let entry = waiting.remove(id) else { return nil }
        let end: End = entry.deadline.map { $0 <= now } ?? false ? .expired : .cancelled
        count(end)
        return (entry, end)
    }

    /// Takes out all that wait, for the end of the node.
    mutating func removeAll() -> [Entry] {
        let all = waiting.removeAll { _ in true }
        counts.stopped += UInt64(all.count)
        return all
    }

    // ---- running ----

    /// What a free worker shall do. Of the lanes that have a batch to run, the one whose next request has its turn
    /// comes first. What room the batch has is filled with requests of the other priority. Call `expire` before.
    mutating func take(now: NIODeadline) -> Action {
        var earliest: NIODeadline?
        var next: [FramePriority: (model: Int, most: Int)] = [:]
        for model in batchers.indices where waiting.inputs(in: model) > 0 {
            switch decide(model, now: now) {
            case .run(let most):
                for priority in FramePriority.allCases where waiting.first(in: model, priority) != nil {
                    if next[priority].map({ waiting.comes(model, before: $0.model, priority) }) ?? true {
                        next[priority] = (model, most)
                    }
                }
            case .wait(let until): earliest = min(earliest ?? until, until)
            }
        }
        guard let (priority, model, most) = turn(of: next) else { return earliest.map { .wait(until: $0) } ?? .sleep }
        let batch = take(from: model, most: most, priority, isContested: next.count == 2)
        busy += 1
        running += batch.count
        runningInputs[model] += batch.reduce(0) { $0 + $1.inputs }
        return .run(batch)
    }

    /// Which of both priorities is served.
    private func turn(
        of next: [FramePriority: (model: Int, most: Int)]
    ) -> (priority: FramePriority, model: Int, most: Int)? {
        var priority = next[.live] == nil ? FramePriority.batch : .live
        if let batch = next[.batch], let first = waiting.first(in: batch.model, .batch), priority == .live {
            priority = turns.next(cost: first.cost)
        }
        return next[priority].map { (priority, $0.model, $0.most) }
    }

    /// - Parameter isContested: frames of both priorities may run.
    private mutating func take(
        from model: Int, most: Int, _ priority: FramePriority, isContested: Bool
    ) -> [Entry] {
        var batch: [Entry] = []
        var inputs = 0
        for priority in [priority, priority.other] {
            while let first = waiting.first(in: model, priority),
                batchers[model].takes(first.inputs, after: inputs, most: most),
                let entry = waiting.take(from: model, priority)
            {
                batch.append(entry)
                inputs += entry.inputs
            }
        }
        func cost(_ priority: FramePriority) -> Double {
            batch.reduce(0) { waiting.priority(of: $1) == priority ? $0 + $1.cost : $0 }
        }
        // Those that fill up a batch of live ones cost nobody a turn.
        if isContested, priority == .batch { turns.ranBatch(cost(.batch)) }
        let left = batchers.indices.compactMap { waiting.first(in: $0, .batch)?.cost }.max()
        turns.ranLive(cost(.live), waiting: left)
        return batch
    }

    private func decide(_ model: Int, now: NIODeadline) -> Batcher.Decision {
        let batcher = batchers[model]
        let inputs = waiting.inputs(in: model)
        if let decision = batcher.decide(inputs: inputs) { return decision }
        var candidates: [Batcher.Candidate] = []
        waiting.forEach(in: model) {
            candidates.append(Batcher.Candidate(arrival: $0.arrival, deadline: $0.deadline))
        }
        return batcher.decide(
            candidates, inputs: inputs, inputTime: .nanoseconds(clamping: serviceTimes[model].mean), now: now)
    }

    /// A batch that `take` gave has run.
    /// - Parameters:
    ///   - ends: of each, in its order.
    ///   - elapsed: worker time. Clients are charged what their requests took, not what they were expected to. Zero: nobody knows.
    mutating func finish(_ batch: [Entry], _ ends: [End], elapsed: TimeAmount) {
        guard let model = batch.first?.model else { return }
        busy -= 1
        running -= batch.count
        let inputs = batch.reduce(0) { $0 + $1.inputs }
        runningInputs[model] -= inputs
        for end in ends { count(end) }
        for entry in batch where elapsed > .zero {
            let share = Double(elapsed.nanoseconds) * Double(entry.inputs) / Double(max(1, inputs))
            waiting.charge(entry, share - entry.cost)
        }
        if running == 0, depth == 0 { waiting.rest() }
        // What was dropped half-way, or failed, says nothing about how long work takes: of a bad picture nothing is inferred.
        let done = zip(batch, ends).reduce(0) { $1.1 == .completed ? $0 + $1.0.inputs : $0 }
        if done > 0 { serviceTimes[model].record(elapsed, inputs: done) }
    }

    /// What a worker learned of a lane when it loaded its models.
    /// - Parameters:
    ///   - maxBatchSize: 1 where batches differ from their singles.
    ///   - passTime: of a full batch.
    mutating func learn(model: Int, maxBatchSize: Int, passTime: TimeAmount) {
        batchers[model].maxBatchSize = min(batchers[model].maxBatchSize, max(1, maxBatchSize))
        serviceTimes[model].record(passTime, inputs: maxBatchSize)
    }

    /// A request ended that was never offered: its client had gone, or its time, or the node ends.
    mutating func turnedAway(_ end: End?) {
        if let end { count(end) } else { counts.stopped += 1 }
    }

    private mutating func count(_ end: End) {
        switch end {
        case .completed, .partial: counts.answered += 1
        case .unfit: counts.unfit += 1
        case .failed: counts.failed += 1
        case .expired: counts.expired += 1
        case .cancelled: counts.cancelled += 1
        }
    }
}
