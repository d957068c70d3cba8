import Bench
import Client
import Mesh
import RPC
import Testing

@testable import framemesh

@Suite(.timeLimit(.minutes(5))) struct StreamLoadTests {
    private static func load(
        _ target: MeshTarget, _ streams: Int, _ pace: StreamLoad.Pace = .closed(perStream: 4),
        pipeline: String = "detect"
    ) throws -> StreamLoad {
        StreamLoad(
            target: target, options: AnalyzeOptions(pipeline: pipeline),
            inputs: try BenchInputs(making: #require(PictureSize("4x4")), isRaw: true), streams: streams,
            pace: pace)
    }

    /// One of two streams ends at its third answer, which is that of the fourth frame; the other one goes on.
    @Test func anAnswerOutOfOrderIsCountedAndEndsItsStreamOnly() async throws {
        let coordinator = SwappingCoordinator(swapping: "bench-0")
        let tally = try await coordinator.serve { place in
            let target = MeshTarget(
                place, MeshClientConfiguration(), AnalyzeOptions(pipeline: "detect"), survivesLoss: false)
            let (recorder, stop) = (Recorder(), StopSign())
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await Self.load(target, 2).run(recorder, until: stop) }
                while coordinator.answered("bench-0") < 4 { try await Task.sleep(for: .milliseconds(2)) }
                let enough = coordinator.answered("bench-1") + 100
                while coordinator.answered("bench-1") < enough { try await Task.sleep(for: .milliseconds(2)) }
                stop.raise()
                try await tasks.waitForAll()
            }
            target.close()
            return recorder.take().tally
        }
        #expect(tally.outOfOrder == 1 && tally.failed == 0)
        #expect(tally.ok == UInt64(coordinator.answered("bench-1") + 2))
    }

    /// Where no stream is left, the point is measured to its end all the same.
    @Test func aPointIsKeptWhenItsOnlyStreamEnded() async throws {
        let point = try await Self.point(.closed(perStream: 4))
        #expect(point.trials == 3 && !point.isInterrupted && point.outOfOrderAtAll == 1)
        // What it had on its way when it ended.
        #expect(point.wholeRun?.answered == 2 && point.failedAtAll == 0 && point.unanswered >= 2)
        #expect(point.hasOverdueFrames)
    }

    /// Nothing was to be sent in the place of the stream that has ended.
    @Test func aCameraThatEndedOwesNoFrames() async throws {
        let point = try await Self.point(.camera(fps: 200))
        #expect(point.outOfOrderAtAll == 1 && point.unsent == 0)
    }

    /// Else the other one would be measured to the end, and told as two.
    @Test func aStreamThatIsRefusedEndsTheRunOfAll() async throws {
        let coordinator = SwappingCoordinator(swapping: "", refusing: "bench-0")
        let cut = await #expect(throws: PointRun.CutShort.self) {
            try await coordinator.serve { place in
                let target = MeshTarget(
                    place, MeshClientConfiguration(), AnalyzeOptions(pipeline: "detect"), survivesLoss: false)
                defer { target.close() }
                var timing = BenchTiming()
                timing.warmup = .zero
                timing.duration = .seconds(3000)
                return try await PointRun(
                    load: try Self.load(target, 2), timing: timing, processes: ProcessWatch(), say: { _ in }
                ).measure()
            }
        }
        #expect((cut?.reason as? RPCError)?.code == .resourceExhausted)
        #expect(cut?.point.isInterrupted == true && coordinator.answered("bench-1") > 0)
    }

    /// It waits for room, and is not asked for its next frame when all is given up.
    @Test func whatACameraOwesWhenItIsInterruptedCounts() async throws {
        let coordinator = SwappingCoordinator(swapping: "")
        let room = InFlightLimits.lossless.frames
        let point = try await coordinator.serve { place in
            let target = MeshTarget(
                place, MeshClientConfiguration(), AnalyzeOptions(pipeline: SwappingCoordinator.endless),
                survivesLoss: false)
            defer { target.close() }
            var timing = BenchTiming()
            timing.warmup = .zero
            timing.duration = .seconds(3000)
            let run = PointRun(
                load: try Self.load(target, 1, .camera(fps: 1000), pipeline: SwappingCoordinator.endless),
                timing: timing, processes: ProcessWatch(), say: { _ in })
            let running = Task { try await run.measure() }
            while coordinator.held < room { try await Task.sleep(for: .milliseconds(2)) }
            // In which more are due.
            try await Task.sleep(for: .milliseconds(50))
            running.cancel()
            return try await running.value
        }
        #expect(point.isInterrupted && point.answered == 0)
        #expect(point.unsent > 0 && point.unanswered == point.unsent + UInt64(room), "\(point.unsent)")
    }

    /// No other one comes in its place: what its cameras have from then on is as late as the end of the windows.
    @Test func whatACameraOwesWhenItsCoordinatorStaysLostCounts() async throws {
        let fps = 100.0
        let cut = await #expect(throws: PointRun.CutShort.self) {
            try await Self.pointWithALoss(fps, resume: .seconds(1), duration: .seconds(3000))
        }
        let point = try #require(cut?.point)
        // The windows end with the stream, in the middle of a long run.
        #expect(point.isInterrupted && point.error != nil && (cut?.reason as? ClientError)?.kind == .unreachable)
        let answered = point.wholeRun?.answered ?? 0
        #expect(point.unsent > 0 && point.unanswered >= point.unsent && point.failed == 0 && point.dropped == 0)
        #expect(
            Double(answered + point.unanswered) >= 0.8 * fps * point.seconds,
            "\(answered) and \(point.unanswered) in \(point.seconds) s")
        // Of which about a third were answered.
        #expect(point.latencyMs.p90 >= 500, "\(point.latencyMs)")
    }

    /// All windows are measured by then: it is looked for no longer than for a unary call.
    @Test func whoStaysLostIsNotAwaitedBehindTheLastWindow() async throws {
        let fps = 100.0
        let begin = ContinuousClock.now
        let cut = await #expect(throws: PointRun.CutShort.self) {
            try await Self.pointWithALoss(fps, resume: .seconds(240), duration: .seconds(2))
        }
        #expect(ContinuousClock.now - begin < .seconds(120))
        let point = try #require(cut?.point)
        #expect(!point.isInterrupted && point.windows.count == 3 && point.error != nil && point.unsent > 0)
        let answered = point.wholeRun?.answered ?? 0
        #expect(
            Double(answered + point.unanswered) >= 0.8 * fps * point.seconds,
            "\(answered) and \(point.unanswered) in \(point.seconds) s")
    }

    /// One camera, whose coordinator is lost after the first 50 of its frames.
    /// - Parameter resume: how long it looks for another one.
    private static func pointWithALoss(
        _ fps: Double, resume: Duration, duration: Duration
    ) async throws -> BenchPoint {
        let coordinator = SwappingCoordinator(swapping: "")
        return try await coordinator.serve { place in
            var calling = MeshClientConfiguration()
            calling.resumeTimeout = resume
            calling.channel.readyTimeout = .milliseconds(200)
            let target = MeshTarget(place, calling, AnalyzeOptions(pipeline: "detect"), survivesLoss: false)
            defer { target.close() }
            var timing = BenchTiming()
            timing.warmup = .zero
            timing.duration = duration
            let run = PointRun(
                load: try Self.load(target, 1, .camera(fps: fps)), timing: timing, processes: ProcessWatch(),
                say: { _ in })
            let running = Task { try await run.measure() }
            while coordinator.answered("bench-0") < 50 { try await Task.sleep(for: .milliseconds(2)) }
            coordinator.die()
            return try await running.value
        }
    }

    /// One stream, which ends at its third answer.
    private static func point(_ pace: StreamLoad.Pace) async throws -> BenchPoint {
        let coordinator = SwappingCoordinator(swapping: "bench-0")
        return try await coordinator.serve { place in
            let target = MeshTarget(
                place, MeshClientConfiguration(), AnalyzeOptions(pipeline: "detect"), survivesLoss: false)
            defer { target.close() }
            var timing = BenchTiming()
            timing.warmup = .zero
            timing.duration = .milliseconds(300)
            return try await PointRun(
                load: try Self.load(target, 1, pace), timing: timing, processes: ProcessWatch(), say: { _ in }
            ).measure()
        }
    }
}
