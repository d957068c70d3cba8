import Bench
import Messages
import Synchronization
import Testing

@testable import framemesh

/// Answers by itself, after a while.
final class FakeTarget: FrameTarget {
    private let takes: @Sendable (Int) -> Duration
    private let outcome: @Sendable (Int) throws -> FrameOutcome
    private let state = Mutex((asked: 0, atOnce: 0, most: 0, callers: Set<Int>()))

    /// - Parameter outcome: of the first, second, … frame.
    init(
        takes: Duration = .zero,
        outcome: @Sendable @escaping (Int) throws -> FrameOutcome = { _ in FrameOutcome(.ok, latency: .zero) }
    ) {
        self.takes = { _ in takes }
        self.outcome = outcome
    }

    /// - Parameter takes: the first, second, … frame.
    init(
        each takes: @Sendable @escaping (Int) -> Duration,
        outcome: @Sendable @escaping (Int) throws -> FrameOutcome = { _ in FrameOutcome(.ok, latency: .zero) }
    ) {
        self.takes = takes
        self.outcome = outcome
    }

    var asked: Int { state.withLock { $0.asked } }
    var most: Int { state.withLock { $0.most } }
    var callers: Set<Int> { state.withLock { $0.callers } }

    func prepare(callers: Int) {}
    func close() {}

    func ask(_ frame: Frame, caller: Int) async throws -> FrameOutcome {
        let number = state.withLock { state in
            state.asked += 1
            state.atOnce += 1
            state.most = max(state.most, state.atOnce)
            state.callers.insert(caller)
            return state.asked - 1
        }
        defer { state.withLock { $0.atOnce -= 1 } }
        try await Task.sleep(for: takes(number))
        return try outcome(number)
    }
}

@Suite(.timeLimit(.minutes(5))) struct LoadTests {
    private static func inputs() throws -> BenchInputs {
        try BenchInputs(making: #require(PictureSize("4x4")), isRaw: true)
    }

    /// Runs a load until it has sent enough.
    private static func run(_ load: some BenchLoad, until isEnough: @Sendable @escaping () -> Bool) async throws
        -> Tally
    {
        let (recorder, stop) = (Recorder(), StopSign())
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await load.run(recorder, until: stop) }
            await recorder.waitForBegin()
            while !isEnough() { try await Task.sleep(for: .milliseconds(2)) }
            stop.raise()
            try await tasks.waitForAll()
        }
        return recorder.take().tally
    }

    @Test func aClosedLoopHasAsManyOnTheirWayAsCallers() async throws {
        let target = FakeTarget(takes: .milliseconds(2))
        let load = ClosedLoad(target: target, inputs: try Self.inputs(), concurrency: 3)
        let tally = try await Self.run(load) { target.asked >= 60 }
        #expect(target.most == 3 && target.callers == [0, 1, 2])
        #expect(tally.ok == UInt64(target.asked) && tally.sent == tally.ok)
        #expect(load.description == LoadDescription(.concurrency, callers: 3))
    }

    @Test func anOpenLoopDoesNotWaitForAnswers() async throws {
        let target = FakeTarget(takes: .milliseconds(300))
        let load = OpenLoad(
            target: target, inputs: try Self.inputs(), connections: 4, rate: 500, arrivals: .poisson, seed: 3)
        let tally = try await Self.run(load) { target.asked >= 40 }
        // At 300 ms each, one after the other would be 3 a second.
        #expect(target.most >= 20 && target.callers == [0, 1, 2, 3])
        #expect(tally.ok == UInt64(target.asked))
    }

    /// The schedule is kept: what waits for room was planned long ago, and that is where its latency begins.
    @Test func framesThatAreSentLateCountFromWhenTheyWerePlanned() async throws {
        let target = FakeTarget(takes: .milliseconds(20))
        var load = OpenLoad(
            target: target, inputs: try Self.inputs(), connections: 1, rate: 1000, arrivals: .constant, seed: 1)
        load.maxOutstanding = 1
        let tally = try await Self.run(load) { target.asked >= 20 }
        // The 20th was planned after 19 ms, and sent after 19 others of 20 ms each.
        #expect(target.most == 1)
        #expect(tally.longestDelay >= .milliseconds(19 * 20 - 19))
        #expect(tally.latencies.figures.max >= 20 * 20 - 19)
        #expect(tally.latencies.figures.mean > 100)
    }

    @Test func refusedFramesDoNotEndALoad() async throws {
        let target = FakeTarget {
            $0 % 2 == 0 ? FrameOutcome(.refused(cause: "full"), latency: .zero) : FrameOutcome(.ok, latency: .zero)
        }
        let load = ClosedLoad(target: target, inputs: try Self.inputs(), concurrency: 1)
        let tally = try await Self.run(load) { target.asked >= 10 }
        #expect(tally.refused >= 5 && tally.ok >= 4 && tally.errors["full"] == tally.refused)
    }

    private static func point(_ load: some BenchLoad, _ change: (inout BenchTiming) -> Void) async throws -> BenchPoint
    {
        var timing = BenchTiming()
        timing.warmup = .milliseconds(20)
        timing.window = .milliseconds(50)
        change(&timing)
        return try await PointRun(load: load, timing: timing, processes: ProcessWatch(), say: { _ in }).measure()
    }

    @Test func aRunOfFixedLengthIsMeasuredWhole() async throws {
        let load = ClosedLoad(target: FakeTarget(takes: .milliseconds(1)), inputs: try Self.inputs(), concurrency: 2)
        let point = try await Self.point(load) { $0.duration = .milliseconds(200) }
        #expect(point.trials == 4 && point.windows.count == 4 && !point.isInterrupted)
        #expect(point.unanswered >= 1 && point.unanswered <= 2 && point.unsent == 0)
        #expect(point.seconds >= 0.2 && point.answered == point.windows.reduce(0) { $0 + $1.answered })
        #expect(point.answered > 0 && point.failed == 0 && point.processes.contains { $0.name == "bench" })
    }

    @Test func untilWindowsAgreeOnlyTheLastAreKept() async throws {
        let load = ClosedLoad(target: FakeTarget(takes: .milliseconds(1)), inputs: try Self.inputs(), concurrency: 1)
        // So tolerant that any three windows agree.
        let stable = try await Self.point(load) { $0.rules.tolerance = 1000 }
        #expect(stable.isStable && stable.trials == 3 && stable.windows.count == 3)
        // So strict that none do.
        let unstable = try await Self.point(load) {
            $0.rules.tolerance = 0
            $0.rules.maxTrials = 5
        }
        #expect(!unstable.isStable && unstable.trials == 5 && unstable.windows.count == 3)
    }

    /// One caller gets no answer until all is over: it is in none of the answers.
    @Test func whatIsStuckCountsWithItsAge() async throws {
        let target = FakeTarget { $0 == 0 ? .milliseconds(700) : .milliseconds(1) }
        let load = ClosedLoad(target: target, inputs: try Self.inputs(), concurrency: 2)
        let point = try await Self.point(load) { $0.duration = .milliseconds(300) }
        #expect(point.unanswered >= 1 && point.oldestUnansweredMs >= 300 && point.hasOverdueFrames)
        #expect(point.latencyMs.max >= 300 && point.latencyMs.p50 < 300)
        #expect(point.longestAnsweredMs < point.oldestUnansweredMs)
    }

    /// Twice as much as there is room for: what was due and could not be sent is as late as what was answered last.
    @Test func whatWasDueAndNotSentCounts() async throws {
        let target = FakeTarget(takes: .milliseconds(20))
        var load = OpenLoad(
            target: target, inputs: try Self.inputs(), connections: 1, rate: 200, arrivals: .constant, seed: 1)
        load.maxOutstanding = 1
        let point = try await Self.point(load) { $0.duration = .milliseconds(400) }
        // In 420 ms 84 were due, at most 22 of which were sent; more if the machine measured for longer.
        let due = 200 * (point.seconds + 0.1)
        #expect(point.unsent >= 50 && point.unanswered >= point.unsent)
        #expect(
            Double(point.unsent + point.answered) <= due, "\(point.unsent), \(point.answered) in \(point.seconds) s")
        // What was answered at first was quicker than half of all that was due.
        #expect(point.latencyMs.p50 > point.windows.first?.latencyMs.p50 ?? .infinity)
        #expect(point.hasOverdueFrames)
    }

    /// What failed after the begin of a window is in no latency, nor is what it took before.
    @Test func whatFailedIsInNoLatency() {
        let recorder = Recorder()
        let now = ContinuousClock.now
        let (failing, slow) = (recorder.sent(planned: now), recorder.sent(planned: now))
        let begin = recorder.take()
        recorder.ended(failing, FrameOutcome(.failed(cause: "a"), latency: .seconds(5)))
        recorder.ended(slow, FrameOutcome(.ok, latency: .seconds(4)))
        _ = recorder.sent(planned: now + .seconds(3))
        let end = recorder.take()
        #expect(end.tally.ok == 1 && end.tally.failed == 1 && end.onTheirWay.count == 1)
        let cut = recorder.cut(begin: now + .seconds(2), begin, end: now + .seconds(6), end)
        #expect(cut.begun.count == 1 && cut.unanswered.count == 1 && cut.unsent == 0)
        #expect(abs(cut.unanswered.longest - 3000) < 10 && abs(cut.begun.longest - 2000) < 10)
    }

    /// In the warm-up or the first of five windows, of which the last three are kept; and behind the last one.
    @Test func whatFailsOutsideOfTheWindowsIsOfTheWholeRun() async throws {
        @Sendable func failing(_ number: Int) -> FrameOutcome {
            FrameOutcome(number == 0 ? .failed(cause: "a") : .ok, latency: .zero)
        }
        let early = FakeTarget(takes: .milliseconds(1), outcome: failing)
        let before = try await Self.point(
            ClosedLoad(target: early, inputs: try Self.inputs(), concurrency: 1)
        ) {
            $0.rules.tolerance = 0
            $0.rules.maxTrials = 5
        }
        #expect(before.failed == 0 && before.wholeRun?.errors == ["a": 1])
        #expect(before.wholeRun?.answered == UInt64(early.asked - 1) && before.failedAtAll == 1)

        let late = FakeTarget(each: { $0 == 0 ? .seconds(2) : .milliseconds(1) }, outcome: failing)
        let behind = try await Self.point(
            ClosedLoad(target: late, inputs: try Self.inputs(), concurrency: 2)
        ) { $0.duration = .milliseconds(300) }
        #expect(behind.failed == 0 && behind.failedAtAll == 1 && behind.answered > 0)
    }

    @Test func beyondTheLimitIsKnownEarly() async throws {
        let load = ClosedLoad(target: FakeTarget(takes: .milliseconds(5)), inputs: try Self.inputs(), concurrency: 1)
        let point = try await Self.point(load) {
            $0.rules.tolerance = 0
            $0.rules.latencyLimit = 1
        }
        #expect(point.trials == 3 && !point.isStable)
    }

    @Test func whatIsInterruptedTellsWhatWasMeasured() async throws {
        let target = FakeTarget(takes: .milliseconds(1))
        let load = ClosedLoad(target: target, inputs: try Self.inputs(), concurrency: 1)
        let running = Task { try await Self.point(load) { $0.duration = .seconds(3000) } }
        while target.asked < 100 { try await Task.sleep(for: .milliseconds(2)) }
        running.cancel()
        let point = try await running.value
        #expect(point.isInterrupted && !point.isEmpty && point.windows.count == 1 && point.failed == 0)
        #expect(point.answered > 0 && point.answered <= UInt64(target.asked))
    }

    @Test func whatIsInterruptedInItsWarmUpIsEmpty() async throws {
        let target = FakeTarget(takes: .milliseconds(1))
        let load = ClosedLoad(target: target, inputs: try Self.inputs(), concurrency: 1)
        let running = Task { try await Self.point(load) { $0.warmup = .seconds(3000) } }
        while target.asked < 10 { try await Task.sleep(for: .milliseconds(2)) }
        running.cancel()
        let point = try await running.value
        #expect(point.isEmpty && point.isInterrupted && point.answered == 0)
    }

    @Test func whoCannotBeReachedEndsTheRun() async throws {
        let load = ClosedLoad(
            target: FakeTarget { _ in throw Fatal("nobody is there", status: .unreachable) }, inputs: try Self.inputs(),
            concurrency: 2)
        let error = await #expect(throws: Fatal.self) { try await Self.point(load) { $0.duration = .seconds(3000) } }
        #expect(error?.status == .unreachable)
    }

    @Test func whoIsLostMeanwhileLeavesWhatWasMeasured() async throws {
        let target = FakeTarget(takes: .milliseconds(1)) {
            guard $0 < 400 else { throw Fatal("it is gone", status: .unreachable) }
            return FrameOutcome(.ok, latency: .zero)
        }
        let load = ClosedLoad(target: target, inputs: try Self.inputs(), concurrency: 1)
        let cut = await #expect(throws: PointRun.CutShort.self) {
            try await Self.point(load) {
                $0.warmup = .zero
                $0.duration = .seconds(3000)
            }
        }
        #expect((cut?.reason as? Fatal)?.status == .unreachable)
        let point = try #require(cut?.point)
        #expect(point.isInterrupted && point.error == "it is gone")
        #expect(point.answered > 0 && point.wholeRun?.answered == 400)
    }

    /// Else the other one would be measured to the end, and told as two.
    @Test func aCallerThatIsLostEndsTheRunOfAll() async throws {
        let target = FakeTarget(takes: .milliseconds(1)) {
            guard $0 != 400 else { throw Fatal("it is gone", status: .unreachable) }
            return FrameOutcome(.ok, latency: .zero)
        }
        let load = ClosedLoad(target: target, inputs: try Self.inputs(), concurrency: 2)
        let cut = await #expect(throws: PointRun.CutShort.self) {
            try await Self.point(load) {
                $0.warmup = .zero
                $0.duration = .seconds(3000)
            }
        }
        #expect(cut?.point.isInterrupted == true && cut?.point.error == "it is gone")
    }

    /// The frame that shows it was on its way when the last window ended.
    @Test func whoIsLostBehindTheLastWindowLeavesAllOfThem() async throws {
        let target = FakeTarget(each: { $0 == 0 ? .seconds(2) : .milliseconds(1) }) {
            guard $0 > 0 else { throw Fatal("it is gone", status: .unreachable) }
            return FrameOutcome(.ok, latency: .zero)
        }
        let load = ClosedLoad(target: target, inputs: try Self.inputs(), concurrency: 2)
        let cut = await #expect(throws: PointRun.CutShort.self) {
            try await Self.point(load) { $0.duration = .milliseconds(200) }
        }
        let point = try #require(cut?.point)
        #expect(!point.isInterrupted && point.windows.count == 4 && point.error == "it is gone")
    }
}
