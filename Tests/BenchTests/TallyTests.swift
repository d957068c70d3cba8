import Foundation
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
        var late = Self.outcome(.partial(cause: "b"), [("decode", 2000)])
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
        #expect(one.partials == ["b": 1] && one.errors == ["a": 1])
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

    @Test func whatTheCoordinatorMeasuredIsTaken() {
        let split = Self.split([
            ("coordinator.queue", 1000), ("detect.queue", 2000), ("detect.decode", 3000), ("detect.infer", 10_000),
            ("detect.network", 500), ("classify.infer", 4000), ("coordinator.fan_out", 19_750),
            ("coordinator.merge", 40), ("total", 21_000), ("coordinator.turn", 7000), ("track", 600),
        ])
        #expect(split?.queue == 3 && split?.decode == 3 && split?.infer == 14 && split?.network == 0.5)
        #expect(split?.fanOut == 19.75 && split?.merge == 0.04 && split?.track == 0.6)
        #expect(split?.turn == 7)
    }

    @Test func stagesThatRanAtOnceAreBothCounted() {
        let split = Self.split([
            ("detect.infer", 10_000), ("detect.network", 300), ("classify.infer", 9000), ("classify.network", 200),
            ("coordinator.fan_out", 10_300), ("coordinator.merge", 5), ("total", 10_500), ("gateway.network", 700),
            ("gateway.total", 12_000),
        ])
        // The way between gateway and coordinator is none to a node.
        #expect(split?.infer == 19 && split?.network == 0.5 && split?.fanOut == 10.3 && split?.merge == 0.005)
    }

    /// Nothing takes the place of what nobody measured: a coordinator of an older version, a node that is asked itself.
    @Test(
        arguments: [
            [("coordinator.queue", 1000), ("detect.infer", 3000), ("detect.network", 500), ("total", 21_000)],
            [("queue", 1000), ("infer", 3000), ("network", 500), ("fan_out", 9000), ("merge", 9000)],
        ] as [[(String, UInt64)]])
    func whatNobodyMeasuredIsNotThere(_ stages: [(String, UInt64)]) throws {
        let split = try #require(Self.split(stages))
        #expect(split.queue == 1 && split.infer == 3 && split.network == 0.5)
        #expect(split.fanOut == nil && split.merge == nil && split.turn == nil)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let keys = try JSONDecoder().decode([String: Double].self, from: encoder.encode(split)).keys
        #expect(Set(keys) == ["queue", "decode", "preprocess", "infer", "postprocess", "network", "track"])
        #expect(Self.split([]) == nil)
    }

    /// While coordinators are replaced, some answers tell them: means are of those.
    @Test func meansAreOfTheFramesThatToldThem() {
        var all = Tally()
        for (fanOut, merge) in [(4000, 10), (6000, 30)] as [(UInt64, UInt64)] {
            var tally = Tally()
            tally.record(Self.outcome(.ok, [("detect.infer", 2000), ("total", 7000)]))
            tally.record(
                Self.outcome(
                    .partial(cause: "b"),
                    [("coordinator.fan_out", fanOut), ("coordinator.merge", merge), ("total", 7000)]))
            all.add(tally)
        }
        #expect(all.serverSplit?.infer == 1 && all.serverSplit?.fanOut == 5 && all.serverSplit?.merge == 0.02)
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
