import Bench
import Client
import Messages
import Synchronization

/// Sends frames in its way until it is told to stop.
protocol BenchLoad: Sendable {
    var description: LoadDescription { get }

    /// Begins, says so by `recorder.begin()`, and ends when all that was sent is answered.
    /// - Throws: what keeps all frames from being answered. When its task is cancelled, it may return or throw.
    func run(_ recorder: Recorder, until stop: StopSign) async throws
}

/// A closed loop: each caller sends its next frame when its last one was answered.
struct ClosedLoad: BenchLoad {
    let target: any FrameTarget
    let inputs: BenchInputs
    let concurrency: Int

    var description: LoadDescription { LoadDescription(.concurrency, callers: concurrency) }

    func run(_ recorder: Recorder, until stop: StopSign) async throws {
        try await target.prepare(callers: concurrency)
        recorder.begin()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for caller in 0..<concurrency {
                // Callers begin at different pictures.
                let first = UInt64(caller * inputs.count / concurrency)
                tasks.addTask { try await call(caller, first, recorder, stop) }
            }
            // The first one that fails ends all: without it there would be fewer callers than is said.
            for try await _ in tasks {}
        }
    }

    private func call(_ caller: Int, _ first: UInt64, _ recorder: Recorder, _ stop: StopSign) async throws {
        var sequence = first
        while !stop.isUp, !Task.isCancelled {
            let start = ContinuousClock.now
            let ticket = recorder.sent(planned: start)
            var outcome = try await target.ask(inputs.frame(sequence), caller: caller)
            // What a cancelled call failed with is our own doing.
            if Task.isCancelled { return }
            outcome.latency = .now - start
            recorder.ended(ticket, outcome)
            sequence += 1
        }
    }
}

/// An open loop: frames are sent when the schedule says, whatever became of earlier ones.
struct OpenLoad: BenchLoad {
    let target: any FrameTarget
    let inputs: BenchInputs
    let connections: Int
    let rate: Double
    let arrivals: Arrivals
    let seed: UInt64
    /// Of the capacity, under overload.
    var factor: Double?

    /// Frames that may be without an answer; later ones are sent late, which counts.
    var maxOutstanding = 4096

    var description: LoadDescription {
        LoadDescription(.rate, callers: connections, rate: rate, arrivals: arrivals, factor: factor)
    }

    func run(_ recorder: Recorder, until stop: StopSign) async throws {
        try await target.prepare(callers: connections)
        recorder.begin()
        let start = ContinuousClock.now
        var schedule = ArrivalSchedule(arrivals, rate: rate, seed: seed)
        let outstanding = Outstanding()
        try await withThrowingDiscardingTaskGroup { tasks in
            var sequence: UInt64 = 0
            while true {
                let planned = start + schedule.next()
                guard await stop.wait(until: planned), await hasRoom(outstanding, stop) else {
                    return recorder.unsent { [schedule] in Self.ages(from: planned, schedule, start, end: $0) }
                }
                let ticket = recorder.sent(planned: planned)
                outstanding.begin()
                tasks.addTask { [sequence] in
                    do {
                        try await call(sequence, planned, ticket, recorder)
                        outstanding.end()
                    } catch {
                        outstanding.fail()
                        throw error
                    }
                }
                sequence += 1
            }
        }
    }

    /// Frames whose age is looked at that were due and not sent; those beyond them are younger.
    static let maxUnsent: UInt64 = 10_000_000

    /// Of frames that were due before `end`: the one at `planned`, and those that the schedule has after it.
    private static func ages(
        from planned: ContinuousClock.Instant, _ schedule: ArrivalSchedule, _ start: ContinuousClock.Instant,
        end: ContinuousClock.Instant
    ) -> LatencyHistogram {
        var (planned, schedule, ages) = (planned, schedule, LatencyHistogram())
        while planned < end, ages.count < maxUnsent {
            ages.record(end - planned)
            planned = start + schedule.next()
        }
        return ages
    }

    /// Waits until there is.
    /// - Returns: false if no more shall be sent.
    private func hasRoom(_ outstanding: Outstanding, _ stop: StopSign) async -> Bool {
        while true {
            let (count, hasFailed) = outstanding.now
            if hasFailed { return false }
            if count < maxOutstanding { return true }
            guard await stop.wait(until: .now + Self.look) else { return false }
        }
    }

    /// Between two looks for room.
    private static let look: Duration = .milliseconds(1)

    private func call(
        _ sequence: UInt64, _ planned: ContinuousClock.Instant, _ ticket: Recorder.Ticket, _ recorder: Recorder
    ) async throws {
        let sent = ContinuousClock.now
        var outcome = try await target.ask(inputs.frame(sequence), caller: Int(sequence % UInt64(connections)))
        if Task.isCancelled { return }
        outcome.latency = .now - planned
        outcome.delay = sent - planned
        recorder.ended(ticket, outcome)
    }
}

/// Frames without an answer.
private final class Outstanding: Sendable {
    private let state = Mutex((count: 0, hasFailed: false))

    var now: (count: Int, hasFailed: Bool) { state.withLock { $0 } }

    func begin() { state.withLock { $0.count += 1 } }
    func end() { state.withLock { $0.count -= 1 } }
    /// One of them showed that no other will be answered.
    func fail() { state.withLock { $0.hasFailed = true } }
}
