import Testing

@testable import Bench

@Suite struct TallyTests {
    private static func outcome(
        _ ending: FrameOutcome.Ending = .ok, ms: Int = 1, _ stages: [(String, UInt64)] = []
    ) -> FrameOutcome {
        var outcome = FrameOutcome(ending, latency: .milliseconds(ms))
        outcome.stages = stages.map { (name: $0.0, microseconds: $0.1) }
        return outcome
    }

    @Test func framesWithoutAnAnswerHaveNoLatency() {
        var tally = Tally()
        tally.record(Self.outcome())
        for _ in 0..<5 { tally.record(Self.outcome(.failed(cause: "no node"), ms: 9000)) }
        tally.record(Self.outcome(.refused(cause: "full"), ms: 9000))
        tally.record(Self.outcome(.dropped(cause: "replaced"), ms: 9000))
        #expect(tally.errors == ["no node": 5, "full": 1] && tally.drops == ["replaced": 1])
        #expect([tally.answered, tally.failed, tally.refused, tally.dropped, tally.ended] == [1, 6, 1, 1, 8])
        #expect(tally.latencies.figures.max < 2)
    }

    @Test func windowsAddUp() {
        var one = Tally()
        one.record(Self.outcome(.ok, [("decode", 1000), ("infer", 3000)]))
        one.countSent()
        one.resumed(again: 4)
        var two = Tally()
        var late = Self.outcome(.partial, [("decode", 2000)])
        (late.delay, late.epoch, late.isRetried, late.detections) = (.milliseconds(7), 3, true, 2)
        two.record(late)
        two.record(Self.outcome(.failed(cause: "a")))
        two.countSent()
        two.countOutOfOrder()
        one.add(two)
        #expect(one.stageMeans == ["decode": 1.5, "infer": 3])
        #expect([one.ok, one.partial, one.failed, one.sent, one.outOfOrder] == [1, 1, 1, 2, 1])
        #expect(
            [one.resumptions, one.sentAgain, UInt64(one.lastEpoch), one.retried, one.detections] == [1, 4, 3, 1, 2])
        #expect(one.longestDelay == .milliseconds(7) && one.latencies.count == 2)
    }

    @Test func causesAndStepsOfPeersAreBounded() {
        var tally = Tally()
        for index in 0..<1000 {
            tally.record(Self.outcome(.failed(cause: "\(index)")))
            tally.record(Self.outcome(.ok, [("\(index)", 1)]))
        }
        #expect(tally.errors.count == Tally.maxCauses + 1 && tally.failed == 1000)
        #expect(tally.errors[Tally.otherCauses] == UInt64(1000 - Tally.maxCauses))
        #expect(tally.stageMeans.count == Tally.maxStages)
    }

    private static func split(_ stages: [(String, UInt64)]) -> ServerSplit? {
        var tally = Tally()
        tally.record(outcome(.ok, stages))
        return tally.serverSplit
    }

    @Test func stepsInTurnLeaveTheRestToTheMerge() {
        let split = Self.split([
            ("coordinator.queue", 1000), ("detect.queue", 2000), ("detect.decode", 3000), ("detect.infer", 10_000),
            ("detect.network", 500), ("classify.infer", 4000), ("total", 21_000),
        ])
        #expect(split?.queue == 3 && split?.decode == 3 && split?.infer == 14 && split?.fanOut == 0.5)
        // 21 − 1 in the coordinator's queue − 15.5 of one stage − 4 of the other.
        #expect(split?.merge == 0.5)
    }

    @Test func stagesThatRanAtOnceTookAsLongAsTheLonger() {
        let split = Self.split([
            ("detect.infer", 10_000), ("classify.infer", 9000), ("total", 10_500), ("gateway.network", 700),
            ("gateway.total", 12_000),
        ])
        #expect(split?.infer == 19 && split?.merge == 0.5 && split?.fanOut == 0)
        let fused = Self.split([
            ("node.queue", 1000), ("detect.infer", 5000), ("classify.infer", 5000), ("node.overlap", 5000),
            ("total", 6500),
        ])
        #expect(fused?.merge == 0.5)
    }

    @Test func aNodeThatIsAskedItselfHasNoMerge() {
        let split = Self.split([("queue", 1000), ("decode", 2000), ("infer", 3000), ("postprocess", 500)])
        #expect(split?.queue == 1 && split?.decode == 2 && split?.infer == 3 && split?.postprocess == 0.5)
        #expect(split?.merge == 0 && split?.fanOut == 0)
        #expect(Self.split([]) == nil)
    }

    @Test func timesOfClientsAreAveraged() {
        var tally = Tally()
        #expect(tally.clientSplit == nil)
        for factor in [1, 3] {
            var outcome = Self.outcome()
            outcome.client = ClientTimes(
                send: .milliseconds(factor), wait: .milliseconds(10 * factor), receive: .microseconds(100 * factor))
            tally.record(outcome)
        }
        let split = tally.clientSplit
        #expect(split?.send == 2 && split?.wait == 20 && abs((split?.receive ?? 0) - 0.2) < 1e-9)
    }
}
