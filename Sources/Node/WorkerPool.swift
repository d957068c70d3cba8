import Dispatch
import Metrics
import NIOCore
import RPC
import Services
import Synchronization
import Threads

/// What OpenCV's forward passes need, with room.
let workerStackBytes = 8 << 20

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

    let state: Mutex<State>
    let now: @Sendable () -> NIODeadline
    private let nextID = Atomic<UInt64>(0)
    let bells: [DispatchSemaphore]
    let metrics: NodeMetrics?
    private let stackBytes: Int

    /// - Parameter ordered: lanes whose answers are given in the order in which the requests came, each named by one of them; nil:
    ///   as they come.
    init(
        queue: Queue, workers: Int, ordered: [Int]? = nil, metrics: NodeMetrics? = nil,
        stackBytes: Int = workerStackBytes, now: @Sendable @escaping () -> NIODeadline = { .now() }
    ) {
        self.metrics = metrics
        self.stackBytes = stackBytes
        state = Mutex(State(queue: queue, order: ordered.map { AnswerOrder(groups: $0) }, workers: workers))
        self.now = now
        bells = (0..<workers).map { _ in DispatchSemaphore(value: 0) }
    }

    /// Starts the threads; returns when each has its runner.
    /// - Throws: the first error of `makeRunner`, or of a thread that cannot be started; then none is left.
    func start(_ makeRunner: @Sendable @escaping (_ worker: Int) throws -> Runner) async throws {
        let failure = await withTaskGroup(of: (any Error)?.self) { starts in
            for worker in bells.indices {
                state.withLock { $0.threads += 1 }
                starts.addTask { [self] in
                    await withCheckedContinuation { started in
                        do throws(ThreadError) {
                            try OwnThread.start("worker-\(worker)", stackBytes: stackBytes) { [self] in
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
                        } catch {
                            threadEnds(worker)
                            started.resume(returning: error)
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
            state.inHand.reduce(state.busy) { sum, batch in batch.map { sum + $0.worked(until: now) } ?? sum }
        }
    }

    /// Workers that have nothing to do now.
    var sleeping: Int { state.withLock { $0.idle.count } }

    /// Queues one request and returns what a worker made of it.
    /// - Parameters:
    ///   - client: whose share of the queue it takes.
    ///   - model: index of the lane.
    ///   - inputs: pictures, or regions of a picture.
    ///   - due: for its place among those of its client; nil: the deadline.
    /// - Throws: `RPCError`: RESOURCE_EXHAUSTED or DEADLINE_EXCEEDED at once if it cannot be done in time, the first
    ///   also when it gives way to another client, CANCELLED if
    ///   the task is cancelled, UNAVAILABLE after `stop()`, or what the runner says.
    func run(
        _ work: Runner.Work, client: CallOrigin, priority: FramePriority = .live, model: Int, inputs: Int,
        deadline: NIODeadline?, due: NIODeadline? = nil
    ) async throws -> Served {
        let job = Job(work: work, deadline: deadline)
        let id = nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                submit(
                    Queue.Entry(
                        id: id, client: client, priority: priority, model: model, inputs: inputs, arrival: now(),
                        deadline: deadline, due: due, payload: Pending(job: job, answer: continuation)))
            }
        } onCancel: {
            // In this order: `submit` looks at the mark under the lock, so one of the two sees the other.
            job.cancellation.cancel()
            withdraw(id)
        }
    }

    private func submit(_ entry: Queue.Entry) {
        let (told, bell) = state.withLock { state -> ([Told], Int?) in
            // Those that cannot be done any more make room.
            let late = state.without(state.queue.expire(now: entry.arrival).map { Told($0, .expiredInQueue) })
            if state.isStopping {
                state.queue.turnedAway(nil)
                return (late + [Told(entry, RPCError(.unavailable, "node is shutting down"))], nil)
            }
            do throws(RPCError) {
                try entry.payload.job.check(before: "it was queued", now: entry.arrival)
            } catch {
                state.queue.turnedAway(Queue.End(Result<Runner.Answer, RPCError>.failure(error)))
                return (late + [Told(entry, error)], nil)
            }
            do throws(Admission.Refusal) {
                guard let displaced = try state.offer(entry) else { return (late, state.idle.popLast()) }
                return (
                    late + state.without([Told(displaced, RPCError(state.queue.refusalOfFull))]), state.idle.popLast()
                )
            } catch {
                return (late + [Told(entry, RPCError(error))], nil)
            }
        }
        if let bell { bells[bell].signal() }
        for told in told { told.tell() }
    }

    /// The client is gone: its request leaves the queue. What runs is dropped by its worker.
    private func withdraw(_ id: UInt64) {
        let time = now()
        let told = state.withLock { state -> [Told] in
            guard let (entry, end) = state.queue.remove(id, now: time) else { return [] }
            let error =
                end == .expired
                ? RPCError.expiredInQueue : RPCError(.cancelled, "call was cancelled while its frame waited")
            return state.without([Told(entry, error)])
        }
        for told in told { told.tell() }
    }

    /// Ends the threads once they have finished what runs; what waits is refused. Returns when they have ended.
    func stop() async {
        let (told, idle) = state.withLock { state in
            state.isStopping = true
            defer { state.idle = [] }
            let waiting = state.queue.removeAll()
            return (
                state.without(waiting.map { Told($0, RPCError(.unavailable, "node is shutting down")) }), state.idle
            )
        }
        for told in told { told.tell() }
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

    func abandon(_ worker: Int, batch: UInt64) -> Bool { lose(worker, batch: batch) }

    /// - Parameter batch: nil: whatever it has in hand.
    private func lose(_ worker: Int, batch: UInt64?) -> Bool {
        // Another node is not to lose a worker too.
        let error = RPCError(
            .internal, "the worker does not come back from this frame", metadata: ["grpc-retry-pushback-ms": "-1"])
        let lost = state.withLock { state in
            state.abandon(worker, batch: batch).map { lost in
                (told: state.without(lost.entries.map { Told($0, error) }), ended: lost.told)
            }
        }
        for told in lost?.told ?? [] { told.tell() }
        for continuation in lost?.ended ?? [] { continuation.resume() }
        return lost != nil
    }

    func abandonAll() { for worker in bells.indices { _ = lose(worker, batch: nil) } }

    /// Workers that were given up.
    var leftBehind: [Int] { state.withLock { $0.abandoned.sorted() } }
}
