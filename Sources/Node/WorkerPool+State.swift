import Dispatch
import NIOCore
import RPC

extension WorkerPool {
    /// What becomes of a request, to be told outside of the lock.
    struct Told: Sendable {
        var entry: Queue.Entry
        var result: Result<Served, RPCError>

        init(_ entry: Queue.Entry, _ result: Result<Served, RPCError>) {
            self.entry = entry
            self.result = result
        }

        init(_ entry: Queue.Entry, _ error: RPCError) { self.init(entry, .failure(error)) }

        func tell() { entry.payload.answer.resume(with: result.mapError { $0 as any Error }) }
    }

    /// What a worker has in hand. Who takes it out of the state answers it.
    struct Batch: Sendable {
        /// A new one whenever the worker has got on with it.
        var number: UInt64
        /// Of an errand none: another worker's batch has them.
        let entries: [Queue.Entry]
        let start: NIODeadline
        /// Whose batch it is a part of.
        var helps: Int?
        /// Since when it waits for who does a part of it.
        var waitsSince: NIODeadline?
        /// How long it has waited before.
        var waited = TimeAmount.zero

        /// Time that its worker was at work for it.
        func worked(until end: NIODeadline) -> TimeAmount { (waitsSince ?? end) - start - waited }
    }

    /// A part of another worker's batch.
    struct Errand: Sendable {
        let number: UInt64
        let body: Workplace<Runner>.Errand
        /// Later than this it is better left to its own worker.
        let latestStart: NIODeadline
        /// Whose batch it is.
        let worker: Int
        let done = DispatchSemaphore(value: 0)
    }

    struct State: Sendable {
        var queue: Queue
        /// nil: answers are given as they come.
        var order: AnswerOrder<Told>?
        /// Of each worker.
        var inHand: [Batch?]
        /// Nobody has begun them, the oldest first.
        var offers: [Errand] = []
        /// For workers that were asleep, and have not begun it yet.
        var errands: [Int: Errand] = [:]
        /// Time that others have worked for the batch that a worker has in hand.
        var helped: [TimeAmount]
        var batches: UInt64 = 0
        /// Of batches that are done, all workers together.
        var busy = TimeAmount.zero
        /// Workers that did not come back.
        var abandoned: Set<Int> = []
        /// Workers that sleep, the one that slept last at the end: its caches are the warmest.
        var idle: [Int] = []
        var isStopping = false
        /// Threads that have not ended, but for those that are abandoned.
        var threads = 0
        var whenEnded: [CheckedContinuation<Void, Never>] = []

        init(queue: Queue, order: AnswerOrder<Told>?, workers: Int) {
            self.queue = queue
            self.order = order
            inHand = Array(repeating: nil, count: workers)
            helped = Array(repeating: .zero, count: workers)
        }

        // ---- requests ----

        mutating func offer(_ entry: Queue.Entry) throws(Admission.Refusal) -> Queue.Entry? {
            let displaced = try queue.offer(entry)
            order?.enter(entry.id, lane: entry.model)
            return displaced
        }

        /// - Parameter ended: requests that a worker has done.
        /// - Returns: what is to be told now.
        mutating func answers(_ ended: [Told]) -> [Told] {
            guard order != nil else { return ended }
            return ended.flatMap { order?.finish($0.entry.id, lane: $0.entry.model, $0) ?? [] }
        }

        /// - Parameter ended: requests that were admitted, and ended otherwise: they are told at once.
        /// - Returns: what is to be told now.
        mutating func without(_ ended: [Told]) -> [Told] {
            guard order != nil else { return ended }
            return ended + ended.flatMap { order?.leave($0.entry.id, lane: $0.entry.model) ?? [] }
        }

        // ---- workers ----

        mutating func nextNumber() -> UInt64 {
            batches += 1
            return batches
        }

        mutating func give(_ entries: [Queue.Entry], to worker: Int, now: NIODeadline, helping: Int? = nil) {
            inHand[worker] = Batch(number: nextNumber(), entries: entries, start: now, helps: helping)
        }

        /// A worker that sleeps gets a part of another one's batch at once. Whatever waits in the queue comes first.
        /// - Returns: who is to be woken; nil: whoever has nothing to do before the other one comes to it.
        mutating func lend(_ errand: Errand, now: NIODeadline) -> Int? {
            guard queue.depth == 0, now <= errand.latestStart, let helper = idle.popLast() else {
                offers.append(errand)
                return nil
            }
            errands[helper] = errand
            // From now on it is watched.
            give([], to: helper, now: now, helping: errand.worker)
            return helper
        }

        /// What a worker that has nothing to do does for another one.
        mutating func takeOffer(for helper: Int, now: NIODeadline) -> Errand? {
            guard queue.depth == 0, let index = offers.firstIndex(where: { now <= $0.latestStart }) else { return nil }
            let errand = offers.remove(at: index)
            give([], to: helper, now: now, helping: errand.worker)
            return errand
        }

        /// A worker comes to what it has offered.
        /// - Returns: false: another one has begun it, and from now on this one waits for it.
        mutating func reclaim(_ errand: Errand, now: NIODeadline) -> Bool {
            // Of one that is given up nothing is on offer any more, and nobody waits for it.
            if abandoned.contains(errand.worker) { return true }
            guard let index = offers.firstIndex(where: { $0.number == errand.number }) else {
                inHand[errand.worker]?.waitsSince = now
                return false
            }
            offers.remove(at: index)
            return true
        }

        /// What it waited for is done.
        mutating func waitEnds(_ worker: Int, now: NIODeadline) {
            guard var batch = inHand[worker], let since = batch.waitsSince else { return }
            batch.waitsSince = nil
            batch.waited = batch.waited + (now - since)
            inHand[worker] = batch
        }

        /// A worker gets on with its batch, and so does whom it helps.
        mutating func getsOn(_ worker: Int) {
            guard inHand[worker] != nil else { return }
            let number = nextNumber()
            inHand[worker]?.number = number
            if let helped = inHand[worker]?.helps { getsOn(helped) }
        }

        /// A worker does not come back. Whom it helps waits for it, and does not either.
        /// - Parameter number: of the batch; nil: whatever it has in hand.
        /// - Returns: what is to be answered in its place, and who waits for the end of all threads; nil: it has come back.
        mutating func abandon(
            _ worker: Int, batch number: UInt64?
        ) -> (entries: [Queue.Entry], told: [CheckedContinuation<Void, Never>])? {
            guard let batch = inHand[worker], batch.number == number ?? batch.number else { return nil }
            inHand[worker] = nil
            offers.removeAll { $0.worker == worker }
            abandoned.insert(worker)
            // What it would have been is not known; its time says nothing.
            queue.finish(batch.entries, batch.entries.map { _ in .expired }, elapsed: .zero)
            var lost = (entries: batch.entries, told: threadEnds())
            if let helped = batch.helps, let more = abandon(helped, batch: nil) {
                lost.entries += more.entries
                lost.told += more.told
            }
            return lost
        }

        /// A worker comes back from what it has in hand.
        /// - Returns: how long it was at work; nil: it was given up meanwhile.
        mutating func takeBack(from worker: Int, at end: NIODeadline) -> TimeAmount? {
            guard let batch = inHand[worker] else { return nil }
            inHand[worker] = nil
            offers.removeAll { $0.worker == worker }
            let worked = batch.worked(until: end)
            busy = busy + worked
            return worked
        }

        /// - Returns: who waits for the end of all threads, once that has come.
        mutating func threadEnds() -> [CheckedContinuation<Void, Never>] {
            threads -= 1
            guard threads == 0 else { return [] }
            defer { whenEnded = [] }
            return whenEnded
        }
    }
}
