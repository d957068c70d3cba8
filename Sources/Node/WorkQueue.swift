import NIOCore
import RPC

/// Requests that wait for a worker, the rule who may wait, and the count of what became of each. A value: its owner
/// holds the lock, brings the time, and answers whatever comes out.
///
/// Clients take turns, by the worker time that their requests cost (`FairLine`). A full queue has room for a client with
/// fewer requests than the one with the most, whose newest gives way.
///
/// ```
///            offer                 take
///  request ────────▶ waiting ───────────────▶ running ──finish──▶ completed, expired or cancelled
///     └▶ refused        ├─ deadline, or too late to begin ─▶ expired
///                       ├─ remove ───▶ cancelled, or expired
///                       └─ offer of another client ─▶ displaced
/// ```
struct WorkQueue<Payload: Sendable>: Sendable {
    struct Entry: Sendable {
        let id: UInt64
        let client: CallOrigin
        /// Index of the model.
        let model: Int
        /// Pictures, or regions of a picture.
        let inputs: Int
        let arrival: NIODeadline
        let deadline: NIODeadline?
        let payload: Payload
        /// Estimated worker time, nanoseconds; the queue's.
        fileprivate(set) var cost = 0.0
        /// Begun later, it would not be done by its deadline, as far as is known.
        fileprivate(set) var latestStart = NIODeadline.distantFuture

        init(
            id: UInt64, client: CallOrigin, model: Int, inputs: Int, arrival: NIODeadline, deadline: NIODeadline?,
            payload: Payload
        ) {
            self.id = id
            self.client = client
            self.model = model
            self.inputs = inputs
            self.arrival = arrival
            self.deadline = deadline
            self.payload = payload
        }
    }

    /// What a worker that has nothing to do shall do.
    enum Action: Sendable {
        /// All of one model.
        case run([Entry])
        case wait(until: NIODeadline)
        case sleep
    }

    /// How a request ended. `unfit`: it was told what is wrong with its picture. `failed`: a fault of ours.
    enum End { case completed, unfit, failed, expired, cancelled }

    private var line: FairLine
    /// By place in the line.
    private var entries: [Entry?] = []
    /// By id.
    private var places: [UInt64: Int] = [:]
    private var waitingInputs: [Int]
    private var runningInputs: [Int]
    private var serviceTimes: [ServiceTime]
    /// Of each model.
    private(set) var batchers: [Batcher]
    private let admission: Admission
    /// No request that waits has a deadline before it.
    private var earliestDeadline = NIODeadline.distantFuture
    /// Nor has one to begin before this, to be done by its deadline.
    private var earliestStart = NIODeadline.distantFuture
    private(set) var running = 0
    private(set) var counts = WorkCounts()

    /// What a request of a model that never ran is taken to cost; nanoseconds. Until then all cost the same.
    private static var unknownCost: Double { 1e6 }

    /// - Parameter batchers: one for each model.
    init(admission: Admission, batchers: [Batcher]) {
        self.admission = admission
        self.batchers = batchers
        line = FairLine(lanes: batchers.count, maxClients: admission.limit)
        waitingInputs = Array(repeating: 0, count: batchers.count)
        runningInputs = Array(repeating: 0, count: batchers.count)
        serviceTimes = Array(repeating: ServiceTime(), count: batchers.count)
    }

    var depth: Int { line.count }
    /// Requests that may wait.
    var limit: Int { admission.limit }

    private var load: Admission.Load {
        var load = Admission.Load(waiting: depth, running: running)
        for (model, time) in serviceTimes.enumerated() where time.mean > 0 {
            load.waitingCost += Double(waitingInputs[model]) * time.mean
            load.runningCost += Double(runningInputs[model]) * time.mean
        }
        return load
    }

    /// What runs before a request of this client: its own, and as much of each of the others, if they have so much.
    private func load(ahead client: CallOrigin, cost: Double) -> Admission.Load {
        var load = load
        let own = line.cost(of: client.number)
        let others = line.busyClients - (line.waiting(of: client.number) > 0 ? 1 : 0)
        load.waitingCost = min(load.waitingCost, own + Double(others) * (own + cost))
        return load
    }

    /// Until all that wait have had their turn.
    var estimatedWait: TimeAmount { admission.wait(behind: load) }

    /// Admits a request, at the time of its arrival, or refuses it.
    /// - Returns: the request that gave way to it, to be refused as one that finds the queue full.
    @discardableResult
    mutating func offer(_ entry: Entry) throws(Admission.Refusal) -> Entry? {
        var entry = entry
        let known = serviceTimes[entry.model].mean * Double(entry.inputs)
        entry.cost = known > 0 ? known : Self.unknownCost
        if let deadline = entry.deadline { entry.latestStart = deadline - .nanoseconds(clamping: known) }
        do throws(Admission.Refusal) {
            try admission.check(
                deadline: entry.deadline, cost: known, behind: load(ahead: entry.client, cost: known),
                now: entry.arrival)
            guard !admission.isFull(depth) || line.mostWaiting > line.waiting(of: entry.client.number) + 1 else {
                throw refusalOfFull
            }
        } catch {
            switch error {
            case .full: counts.full += 1
            case .late: counts.hopeless += 1
            case .expired: counts.overdue += 1
            }
            throw error
        }
        let giving = admission.isFull(depth) ? displace() : nil
        counts.accepted += 1
        let place = line.add(client: entry.client.number, lane: entry.model, cost: entry.cost)
        while entries.count <= place { entries.append(nil) }
        entries[place] = entry
        places[entry.id] = place
        waitingInputs[entry.model] += entry.inputs
        if let deadline = entry.deadline { earliestDeadline = min(earliestDeadline, deadline) }
        earliestStart = min(earliestStart, entry.latestStart)
        return giving
    }

    var refusalOfFull: Admission.Refusal {
        .full(waiting: depth, limit: admission.limit, wait: estimatedWait)
    }

    private mutating func displace() -> Entry? {
        guard let entry = line.removeNewest().flatMap({ leave($0) }) else { return nil }
        counts.displaced += 1
        return entry
    }

    /// What stood at a place that the line has given free.
    private mutating func leave(_ place: Int) -> Entry? {
        guard let entry = entries[place] else { return nil }
        entries[place] = nil
        places[entry.id] = nil
        waitingInputs[entry.model] -= entry.inputs
        return entry
    }

    private mutating func remove(at place: Int) -> Entry? {
        line.remove(place)
        return leave(place)
    }

    /// Takes out what waited beyond its deadline; each must be told.
    mutating func expire(now: NIODeadline) -> [Entry] {
        guard earliestDeadline <= now else { return [] }
        var late: [Entry] = []
        earliestDeadline = .distantFuture
        for place in entries.indices {
            guard let deadline = entries[place]?.deadline else { continue }
            if deadline > now {
                earliestDeadline = min(earliestDeadline, deadline)
            } else if let entry = remove(at: place) {
                late.append(entry)
            }
        }
        counts.expired += UInt64(late.count)
        return late
    }

    /// Takes out what would not be done by its deadline, to be refused as late, where something else waits that would: under
    /// overload workers would run for nobody. If all are late they stay, since the estimate may be, and only work renews it.
    mutating func giveUpLate(now: NIODeadline) -> [Entry] {
        guard earliestStart < now else { return [] }
        let late = entries.indices.filter { entries[$0].map { $0.latestStart < now } ?? false }
        guard late.count < depth else { return [] }
        let given = late.compactMap { remove(at: $0) }
        earliestStart = entries.reduce(.distantFuture) { min($0, $1?.latestStart ?? .distantFuture) }
        counts.late += UInt64(given.count)
        return given
    }

    /// What a free worker shall do. Of the models that have a batch to run, the one whose next request has its turn
    /// comes first. Call `expire` before.
    mutating func take(now: NIODeadline) -> Action {
        var earliest: NIODeadline?
        var next: Int?
        for model in batchers.indices where line.first(in: model) != nil {
            switch decide(model, now: now) {
            case .run: if next.map({ line.comes(model, before: $0) }) ?? true { next = model }
            case .wait(let until): earliest = min(earliest ?? until, until)
            }
        }
        guard let model = next else { return earliest.map { .wait(until: $0) } ?? .sleep }
        var batch: [Entry] = []
        var inputs = 0
        while let first = line.first(in: model).flatMap({ entries[$0] }),
            batchers[model].takes(first.inputs, after: inputs), let place = line.take(from: model),
            let entry = leave(place)
        {
            batch.append(entry)
            inputs += entry.inputs
        }
        running += batch.count
        runningInputs[model] += inputs
        return .run(batch)
    }

    private func decide(_ model: Int, now: NIODeadline) -> Batcher.Decision {
        let batcher = batchers[model]
        if batcher.isFull(waitingInputs[model]) { return .run }
        var candidates: [Batcher.Candidate] = []
        line.forEach(in: model) { place in
            guard let entry = entries[place] else { return }
            candidates.append(Batcher.Candidate(arrival: entry.arrival, deadline: entry.deadline))
        }
        return batcher.decide(
            candidates, inputs: waitingInputs[model], inputTime: .nanoseconds(clamping: serviceTimes[model].mean),
            now: now)
    }

    /// Takes a request out whose client is gone; nil if it does not wait any more.
    mutating func remove(_ id: UInt64, now: NIODeadline) -> (entry: Entry, end: End)? {
        guard let entry = places[id].flatMap({ remove(at: $0) }) else { return nil }
        let end: End = entry.deadline.map { $0 <= now } ?? false ? .expired : .cancelled
        count(end)
        return (entry, end)
    }

    /// Takes out all that wait, for the end of the node.
    mutating func removeAll() -> [Entry] {
        let all = entries.indices.compactMap { entries[$0] == nil ? nil : remove(at: $0) }
        counts.stopped += UInt64(all.count)
        return all
    }

    /// A batch that `take` gave has run.
    /// - Parameters:
    ///   - ends: of each, in its order.
    ///   - elapsed: worker time. Clients are charged what their requests took, not what they were expected to. Zero: nobody knows.
    mutating func finish(_ batch: [Entry], _ ends: [End], elapsed: TimeAmount) {
        guard let model = batch.first?.model else { return }
        running -= batch.count
        let inputs = batch.reduce(0) { $0 + $1.inputs }
        runningInputs[model] -= inputs
        for end in ends { count(end) }
        for entry in batch where elapsed > .zero {
            let share = Double(elapsed.nanoseconds) * Double(entry.inputs) / Double(max(1, inputs))
            line.charge(client: entry.client.number, share - entry.cost)
        }
        if running == 0, depth == 0 { line.rest() }
        let done = zip(batch, ends).reduce(0) { [.expired, .cancelled].contains($1.1) ? $0 : $0 + $1.0.inputs }
        // What was dropped half-way says nothing about how long work takes.
        if done > 0 { serviceTimes[model].record(elapsed, inputs: done) }
    }

    /// What a worker learned of a model when it loaded it.
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
        case .completed: counts.answered += 1
        case .unfit: counts.unfit += 1
        case .failed: counts.failed += 1
        case .expired: counts.expired += 1
        case .cancelled: counts.cancelled += 1
        }
    }
}
