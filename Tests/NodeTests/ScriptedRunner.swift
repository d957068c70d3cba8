import Dispatch
import NIOCore
import RPC
import Services
import Synchronization

@testable import Node

/// A runner whose requests say themselves what happens on the worker.
struct ScriptedRunner: BatchRunner {
    struct Work: Sendable {
        var name: Int
        var onWorker: @Sendable () throws(RPCError) -> Void = {}
        /// Before `onWorker`.
        var atPlace: @Sendable (Workplace<ScriptedRunner>) -> Void = { _ in }
    }

    let log: Log
    let now: @Sendable () -> NIODeadline

    func run(_ jobs: [Job<Work>], model: Int, at place: Workplace<Self>) -> [Result<Int, RPCError>] {
        log.batches.withLock { $0.append(jobs.map(\.work.name)) }
        return jobs.map { job in
            do throws(RPCError) {
                job.work.atPlace(place)
                try job.work.onWorker()
                try job.check(before: "its end", now: now())
                return .success(job.work.name)
            } catch {
                return .failure(error)
            }
        }
    }

    final class Log: Sendable {
        let batches = Mutex<[[Int]]>([])
    }
}

/// What happened, in order.
final class Notes: Sendable {
    private let notes = Mutex<[String]>([])
    var all: [String] { notes.withLock { $0 } }
    func note(_ text: String) { notes.withLock { $0.append(text) } }
}

/// Holds a worker until the test opens it.
final class Gate: Sendable {
    private let opened = DispatchSemaphore(value: 0)
    private let (reached, reach) = AsyncStream<Void>.makeStream()

    /// On the worker.
    func pass() {
        reach.yield()
        opened.wait()
    }
    /// Returns once a worker stands before the gate.
    func isReached() async { for await _ in reached { return } }
    func open() { opened.signal() }
}

/// A clock that the test sets. It begins with the time of the machine, until which workers sleep.
final class TestClock: Sendable {
    private let time = Mutex(NIODeadline.now())
    var now: NIODeadline { time.withLock { $0 } }
    func advance(by amount: TimeAmount) { time.withLock { $0 = $0 + amount } }
}

/// A started pool of scripted workers.
struct ScriptedPool {
    let pool: WorkerPool<ScriptedRunner>
    let log = ScriptedRunner.Log()

    static func with(
        workers: Int = 1, models: Int = 1, limit: Int = 64, maxBatchSize: Int = 1, delay: TimeAmount = .zero,
        isOrdered: Bool = false, now: @Sendable @escaping () -> NIODeadline = { .now() },
        _ body: (ScriptedPool) async throws -> Void
    ) async throws {
        let batcher = Batcher(maxBatchSize: maxBatchSize, maxQueueDelay: delay)
        let scripted = ScriptedPool(
            pool: WorkerPool(
                queue: WorkQueue(
                    admission: Admission(limit: limit, workers: workers),
                    batchers: Array(repeating: batcher, count: models), inOrderOfArrival: isOrdered),
                workers: workers, ordered: isOrdered ? Array(0..<models) : nil, now: now))
        let log = scripted.log
        try await scripted.pool.start { _ in ScriptedRunner(log: log, now: now) }
        do {
            try await body(scripted)
        } catch {
            await scripted.pool.stop()
            throw error
        }
        await scripted.pool.stop()
    }

    func run(
        _ name: Int, of client: UInt64 = 0, _ priority: FramePriority = .live, model: Int = 0,
        deadline: NIODeadline? = nil, onWorker: @Sendable @escaping () throws(RPCError) -> Void = {},
        atPlace: @Sendable @escaping (Workplace<ScriptedRunner>) -> Void = { _ in }
    ) async throws -> Int {
        try await pool.run(
            .init(name: name, onWorker: onWorker, atPlace: atPlace), client: CallOrigin(client), priority: priority,
            model: model, inputs: 1, deadline: deadline
        ).answer
    }

    /// Occupies a worker until `gate` opens.
    func occupy(_ gate: Gate, name: Int = 0, model: Int = 0) -> Task<Int, any Error> {
        Task { try await run(name, model: model) { () throws(RPCError) in gate.pass() } }
    }

    /// A worker that stands before a gate.
    func occupied() async -> (Gate, Task<Int, any Error>) {
        let gate = Gate()
        let running = occupy(gate)
        await gate.isReached()
        return (gate, running)
    }

    func untilSleeping(_ workers: Int) async {
        while pool.sleeping != workers { try? await Task.sleep(for: .milliseconds(1)) }
    }

    func untilWaiting(_ depth: Int) async {
        while pool.withQueue({ $0.depth }) != depth { try? await Task.sleep(for: .milliseconds(1)) }
    }

    var batches: [[Int]] { log.batches.withLock { $0 } }
    var ran: [Int] { batches.flatMap { $0 } }
}

/// How a request failed; nil if it did not.
func failure(_ body: () async throws -> some Sendable) async -> RPCError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? RPCError
    }
}
