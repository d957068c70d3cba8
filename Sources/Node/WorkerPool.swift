import Dispatch
import Metrics
import NIOCore
import RPC
import Synchronization

/// The worker threads of a node and the queue in front of them.
///
/// A request hops once into a worker and once back. Life: `start()` makes the threads, and each makes its runner;
/// `run` may be called until `stop()`, which ends the threads. Whoever calls `start` calls `stop`.
final class WorkerPool<Runner: BatchRunner>: Workers {
    /// An answer, and how long its request waited for a worker.
    struct Served: Sendable {
        var answer: Runner.Answer
        var queued: TimeAmount
    }

    /// A request in the queue. Who takes it out of the queue answers it.
    struct Pending: Sendable {
        var job: Job<Runner.Work>
        var answer: CheckedContinuation<Served, any Error>
    }
    typealias Queue = WorkQueue<Pending>

    /// What a worker has in hand. Who takes it out of the state answers it.
    private struct Batch: Sendable {
        let number: UInt64
        /// Of an errand none: another worker's batch has them.
        let entries: [Queue.Entry]
        let start: NIODeadline
        /// Whose batch it is a part of.
        var helps: Int?
    }

    /// A part of another worker's batch.
    private struct Errand: Sendable {
        let body: Helpers<Runner>.Errand
        /// Whose batch it is.
        let worker: Int
        let done = DispatchSemaphore(value: 0)
    }

    private struct State: Sendable {
        var queue: Queue
        /// Of each worker.
        var inHand: [Batch?]
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

        mutating func give(_ entries: [Queue.Entry], to worker: Int, now: NIODeadline, helping: Int? = nil) {
            inHand[worker] = Batch(number: batches, entries: entries, start: now, helps: helping)
            batches += 1
        }

        /// A worker does not come back. Whom it helps waits for it, and does not either.
        /// - Returns: what is to be answered in its place, and who waits for the end of all threads; nil: it has come back.
        mutating func abandon(
            _ worker: Int, batch number: UInt64
        ) -> (entries: [Queue.Entry], told: [CheckedContinuation<Void, Never>])? {
            guard let batch = inHand[worker], batch.number == number else { return nil }
            inHand[worker] = nil
            abandoned.insert(worker)
            // What it would have been is not known; its time says nothing.
            queue.finish(batch.entries, batch.entries.map { _ in .expired }, elapsed: .zero)
            var lost = (entries: batch.entries, told: threadEnds())
            if let helped = batch.helps, let waiting = inHand[helped],
                let more = abandon(helped, batch: waiting.number)
            {
                lost.entries += more.entries
                lost.told += more.told
            }
            return lost
        }

        /// A worker comes back from what it has in hand.
        /// - Returns: false: it was given up meanwhile.
        mutating func takeBack(from worker: Int, at end: NIODeadline) -> Bool {
            guard let batch = inHand[worker] else { return false }
            inHand[worker] = nil
            busy = busy + (end - batch.start)
            return true
        }

        /// - Returns: who waits for the end of all threads, once that has come.
        mutating func threadEnds() -> [CheckedContinuation<Void, Never>] {
            threads -= 1
            guard threads == 0 else { return [] }
            defer { whenEnded = [] }
            return whenEnded
        }
    }

    private let state: Mutex<State>
    let now: @Sendable () -> NIODeadline
    private let nextID = Atomic<UInt64>(0)
    private let bells: [DispatchSemaphore]
    let metrics: NodeMetrics?

    init(
        queue: Queue, workers: Int, metrics: NodeMetrics? = nil, now: @Sendable @escaping () -> NIODeadline = { .now() }
    ) {
        self.metrics = metrics
        state = Mutex(
            State(
                queue: queue, inHand: Array(repeating: nil, count: workers),
                helped: Array(repeating: .zero, count: workers)))
        self.now = now
        bells = (0..<workers).map { _ in DispatchSemaphore(value: 0) }
    }

    /// Starts the threads; returns when each has its runner.
    /// - Throws: the first error of `makeRunner`; then no thread is left.
    func start(_ makeRunner: @Sendable @escaping (_ worker: Int) throws -> Runner) async throws {
        let failure = await withTaskGroup(of: (any Error)?.self) { starts in
            for worker in bells.indices {
                state.withLock { $0.threads += 1 }
                starts.addTask {
                    await withCheckedContinuation { started in
                        startThread(named: "worker-\(worker)") { [self] in
                            defer { threadEnds(worker) }
                            var runner: Runner
                            do {
                                runner = try makeRunner(worker)
                            } catch {
                                return started.resume(returning: error)
                            }
                            started.resume(returning: nil)
                            work(as: worker, with: &runner)
                        }
                    }
                }
            }
            return await starts.reduce(nil) { $0 ?? $1 }
        }
        if let failure {
            await stop()
            throw failure
        }
    }

    /// Reads the numbers of the queue, or teaches it; briefly, since workers wait meanwhile.
    func withQueue<Value: Sendable>(_ body: (inout Queue) -> Value) -> Value {
        state.withLock { body(&$0.queue) }
    }

    var workers: Int { bells.count }

    /// Time that all workers together were at work, what they have in hand included.
    var busyTime: TimeAmount {
        let now = now()
        return state.withLock { state in
            state.inHand.reduce(state.busy) { sum, batch in batch.map { sum + (now - $0.start) } ?? sum }
        }
    }

    /// Workers that have nothing to do now.
    var sleeping: Int { state.withLock { $0.idle.count } }

    /// Queues one request and returns what a worker made of it.
    /// - Parameters:
    ///   - client: whose share of the queue it takes.
    ///   - inputs: pictures, or regions of a picture.
    /// - Throws: `RPCError`: RESOURCE_EXHAUSTED or DEADLINE_EXCEEDED at once if it cannot be done in time, the first
    ///   also when it gives way to another client, CANCELLED if
    ///   the task is cancelled, UNAVAILABLE after `stop()`, or what the runner says.
    func run(
        _ work: Runner.Work, client: CallOrigin, model: Int, inputs: Int, deadline: NIODeadline?
    ) async throws -> Served {
        let job = Job(work: work, deadline: deadline)
        let id = nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                submit(
                    Queue.Entry(
                        id: id, client: client, model: model, inputs: inputs, arrival: now(), deadline: deadline,
                        payload: Pending(job: job, answer: continuation)))
            }
        } onCancel: {
            // In this order: `submit` looks at the mark under the lock, so one of the two sees the other.
            job.cancellation.cancel()
            withdraw(id)
        }
    }

    private func submit(_ entry: Queue.Entry) {
        let (late, refused, bell) = state.withLock { state -> ([Queue.Entry], (Queue.Entry, RPCError)?, Int?) in
            // Those that cannot be done any more make room.
            let late = state.queue.expire(now: entry.arrival)
            if state.isStopping {
                state.queue.turnedAway(nil)
                return (late, (entry, RPCError(.unavailable, "node is shutting down")), nil)
            }
            do throws(RPCError) {
                try entry.payload.job.check(before: "it was queued", now: entry.arrival)
            } catch {
                state.queue.turnedAway(Queue.End(Result<Runner.Answer, RPCError>.failure(error)))
                return (late, (entry, error), nil)
            }
            do {
                let displaced = try state.queue.offer(entry)
                return (
                    late, displaced.map { ($0, RPCError(state.queue.refusalOfFull)) }, state.idle.popLast()
                )
            } catch {
                return (late, (entry, RPCError(ofAdmission: error)), nil)
            }
        }
        if let bell { bells[bell].signal() }
        for entry in late { entry.payload.answer.resume(throwing: RPCError.expiredInQueue) }
        if let (entry, error) = refused { entry.payload.answer.resume(throwing: error) }
    }

    /// The client is gone: its request leaves the queue. What runs is dropped by its worker.
    private func withdraw(_ id: UInt64) {
        let time = now()
        guard let (entry, end) = state.withLock({ $0.queue.remove(id, now: time) }) else { return }
        if end == .expired { return entry.payload.answer.resume(throwing: RPCError.expiredInQueue) }
        entry.payload.answer.resume(throwing: RPCError(.cancelled, "call was cancelled while its frame waited"))
    }

    /// Ends the threads once they have finished what runs; what waits is refused. Returns when they have ended.
    func stop() async {
        let (waiting, idle) = state.withLock { state in
            state.isStopping = true
            defer { state.idle = [] }
            return (state.queue.removeAll(), state.idle)
        }
        for entry in waiting {
            entry.payload.answer.resume(throwing: RPCError(.unavailable, "node is shutting down"))
        }
        for worker in idle { bells[worker].signal() }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.threads > 0 { state.whenEnded.append(continuation) }
                return state.threads == 0
            }
            if isOver { continuation.resume() }
        }
    }

    private func threadEnds(_ worker: Int) {
        let told = state.withLock { $0.abandoned.contains(worker) ? [] : $0.threadEnds() }
        for continuation in told { continuation.resume() }
    }

    var inHand: [UInt64?] { state.withLock { $0.inHand.map { $0?.number } } }

    func abandon(_ worker: Int, batch: UInt64) -> Bool {
        let lost = state.withLock { $0.abandon(worker, batch: batch) }
        for entry in lost?.entries ?? [] {
            // Another node is not to lose a worker too.
            entry.payload.answer.resume(
                throwing: RPCError(
                    .internal, "the worker does not come back from this frame",
                    metadata: ["grpc-retry-pushback-ms": "-1"]))
        }
        for continuation in lost?.told ?? [] { continuation.resume() }
        return lost != nil
    }

    func abandonAll() {
        for (worker, batch) in inHand.enumerated() { if let batch { _ = abandon(worker, batch: batch) } }
    }

    /// Workers that were given up.
    var leftBehind: [Int] { state.withLock { $0.abandoned.sorted() } }

    // ---- on the worker's thread ----

    private enum Step: Sendable {
        case run([Queue.Entry], bell: Int?)
        case help(Errand)
        case sleep(until: NIODeadline?)
        case end
    }

    private func work(as worker: Int, with runner: inout Runner) {
        while true {
            switch next(for: worker) {
            case .run(let batch, let bell):
                // Someone else looks after those that still wait for their batch to fill.
                if let bell { bells[bell].signal() }
                run(batch, as: worker, with: &runner)
            case .help(let errand): help(with: errand, as: worker, with: &runner)
            case .sleep(let until):
                let until = min(until ?? .distantFuture, now() + longestSleep)
                _ = bells[worker].wait(timeout: DispatchTime(uptimeNanoseconds: until.uptimeNanoseconds))
            case .end: return
            }
        }
    }

    private func next(for worker: Int) -> Step {
        let now = now()
        let (told, step) = state.withLock { state -> ([(Queue.Entry, RPCError)], Step) in
            // Still there if its sleep ended by time.
            state.idle.removeAll { $0 == worker }
            // Somebody waits for it.
            if let errand = state.errands.removeValue(forKey: worker) { return ([], .help(errand)) }
            let expired = state.queue.expire(now: now).map { ($0, RPCError.expiredInQueue) }
            if state.abandoned.contains(worker) { return (expired, .end) }
            let late = state.queue.giveUpLate(now: now)
            let told = expired + late.map { ($0, .lateInQueue(behind: state.queue.estimatedWait)) }
            switch state.queue.take(now: now) {
            case .run(let batch):
                state.give(batch, to: worker, now: now)
                return (told, .run(batch, bell: state.queue.depth > 0 ? state.idle.popLast() : nil))
            case _ where state.isStopping: return (told, .end)
            case .wait(let until):
                state.idle.append(worker)
                return (told, .sleep(until: until))
            case .sleep:
                state.idle.append(worker)
                return (told, .sleep(until: nil))
            }
        }
        for (entry, error) in told { entry.payload.answer.resume(throwing: error) }
        return step
    }

    private func run(_ batch: [Queue.Entry], as worker: Int, with runner: inout Runner) {
        guard let model = batch.first?.model else { return }
        let start = now()
        let results = runner.run(
            batch.map(\.payload.job), model: model, helpers: Helpers { self.findHelper(of: worker, for: $0) })
        let elapsed = now() - start
        metrics?.batchSize.record(batch.count)
        // Counted before it is told, so that a client that asks after its answer finds it counted.
        let isOurs = state.withLock { state in
            let helped = state.helped[worker]
            state.helped[worker] = .zero
            guard state.takeBack(from: worker, at: start + elapsed) else { return false }
            // Clients pay for all the work there was.
            state.queue.finish(batch, results.map(Queue.End.init), elapsed: elapsed + helped)
            return true
        }
        // Abandoned meanwhile: it is answered.
        guard isOurs else { return }
        for (entry, result) in zip(batch, results) {
            entry.payload.answer.resume(
                with: result.map { Served(answer: $0, queued: start - entry.arrival) }.mapError { $0 as any Error })
        }
    }

    /// A worker that sleeps is woken for a part of this one's batch. What comes meanwhile waits for the first that is free, as
    /// it would with more requests at work.
    private func findHelper(of worker: Int, for body: @escaping Helpers<Runner>.Errand) -> DispatchSemaphore? {
        let errand = Errand(body: body, worker: worker)
        let now = now()
        let helper = state.withLock { state -> Int? in
            guard state.queue.depth == 0, let helper = state.idle.popLast() else { return nil }
            state.errands[helper] = errand
            // From now on it is watched.
            state.give([], to: helper, now: now, helping: worker)
            return helper
        }
        guard let helper else { return nil }
        bells[helper].signal()
        return errand.done
    }

    private func help(with errand: Errand, as worker: Int, with runner: inout Runner) {
        let start = now()
        errand.body(&runner)
        let end = now()
        state.withLock { state in
            _ = state.takeBack(from: worker, at: end)
            if state.inHand[errand.worker] != nil {
                state.helped[errand.worker] = state.helped[errand.worker] + (end - start)
            }
        }
        errand.done.signal()
    }
}

/// Then a worker looks at the queue again, bell or not.
private let longestSleep = TimeAmount.hours(1)

extension WorkQueue.End {
    init<Answer>(_ result: Result<Answer, RPCError>) {
        switch result {
        case .failure(let error) where error.code == .deadlineExceeded: self = .expired
        case .failure(let error) where error.code == .cancelled: self = .cancelled
        case .failure(let error) where error.code == .invalidArgument: self = .unfit
        case .failure: self = .failed
        case .success: self = .completed
        }
    }
}
