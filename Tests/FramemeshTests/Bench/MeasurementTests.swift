import Foundation
import Messages
import Testing

@testable import framemesh

@Suite struct MeasurementTests {
    private static func ok(_ stages: [Timing] = []) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.timing = stages
        return response
    }

    @Test func percentilesAreThoseOfTheFramesOfAllCallers() {
        var all = Measurement()
        for caller in 0..<4 {
            var own = Measurement()
            for index in 0..<250 { own.record(Self.ok(), took: .milliseconds(caller * 250 + index + 1)) }
            all.add(own)
        }
        #expect(all.ok == 1000)
        #expect(abs(all.milliseconds(at: 50) - 500) <= 1)
        #expect(abs(all.milliseconds(at: 99) - 990) <= 2)
        #expect(abs(all.milliseconds(at: 100) - 1000) <= 2)
    }

    @Test func nothingMeasuredIsZero() {
        #expect(Measurement().milliseconds(at: 99) == 0)
    }

    @Test func failuresHaveNoLatencyAndAreCountedByCause() {
        var measured = Measurement()
        measured.record(Self.ok(), took: .milliseconds(1))
        for port in 1...5 { measured.fail("no endpoint 10.0.0.\(port):80 is ready") }
        var refused = AnalyzeResponse()
        refused.status = .error
        refused.cause = "bad"
        measured.record(refused, took: .seconds(9))
        #expect(measured.failed == 6 && measured.errors.count == 2)
        #expect(measured.milliseconds(at: 100) < 2)
    }

    @Test func stagesAreAveraged() {
        var one = Measurement()
        one.record(Self.ok([Timing("decode", microseconds: 1000), Timing("infer", microseconds: 3000)]), took: .zero)
        var two = Measurement()
        two.record(Self.ok([Timing("decode", microseconds: 2000)]), took: .zero)
        one.add(two)
        #expect(one.stages.map(\.name) == ["decode", "infer"])
        #expect(one.stages.map(\.stage.meanMilliseconds) == [1.5, 3])
    }

    @Test func onlyFramesWithinTheWindowCount() {
        let now = ContinuousClock.now
        let window = BenchWindow(warmup: .seconds(1), duration: .seconds(10), now: now)
        #expect(!window.contains(now) && window.contains(now + .seconds(1)) && !window.contains(now + .seconds(11)))
        #expect(!window.isOver(at: now + .seconds(10)) && window.isOver(at: now + .seconds(11)))
        window.stop(at: now + .seconds(3))
        #expect(window.isOver(at: now) && window.length == .seconds(2))
        window.stop(at: now + .seconds(2))
        #expect(window.length == .seconds(2))
    }

    @Test func theReportIsOneJSONObject() throws {
        var measured = Measurement()
        measured.record(Self.ok([Timing("total", microseconds: 10_000)]), took: .milliseconds(10))
        measured.fail("no node")
        let report = BenchReport(
            mode: "mesh", coordinator: "a:1", pipeline: "detect", callers: "unary", concurrency: 2, inputs: 1,
            warmup: .seconds(1), measured: .seconds(2), wasStopped: false, machine: Machine(cpu: "x", cores: 2),
            result: measured)
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
        #expect(json["frames_per_second"] as? Double == 0.5)
        #expect((json["errors"] as? [String: Int]) == ["no node": 1])
        #expect(Set(try #require(json["latency_ms"] as? [String: Double]).keys) == ["p50", "p90", "p99", "max"])
        #expect(report.text.contains("0.5 frames/s"))
    }

    @Test func theReportOfThisProcessSaysWhatRan() {
        let report = BenchReport(
            mode: "in-process", pipeline: "detect", models: ["a"], engine: "opencv", callers: "threads", concurrency: 1,
            inputs: 1, warmup: .zero, measured: .seconds(1), wasStopped: false, machine: Machine(cpu: "x", cores: 1),
            result: Measurement())
        #expect(report.json.contains(#""models":["a"],"engine":"opencv""#))
        #expect(report.text.hasPrefix("in-process (a, opencv), "))
    }

    @Test func streamsTellOfCoordinatorsThatTheyLost() throws {
        var measured = Measurement()
        var answer = Self.ok()
        answer.epoch = 3
        measured.record(answer, took: .milliseconds(10))
        var other = Measurement()
        other.resumed(again: 4)
        other.resumed(again: 1)
        measured.add(other)
        var report = BenchReport(
            mode: "mesh", coordinator: "a:1", pipeline: "track", callers: "stream", concurrency: 1, perStream: 1,
            inputs: 1, warmup: .zero, measured: .seconds(1), wasStopped: false, machine: Machine(cpu: "x", cores: 1),
            result: measured)
        #expect(report.text.contains("1 stream with a connection and 1 frame each"))
        #expect(report.text.contains("2 resumptions after a lost coordinator, 5 frames sent again, last epoch 3"))
        let json = try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
        #expect(json["resumptions"] as? Int == 2 && json["frames_sent_again"] as? Int == 5)
        #expect(json["last_epoch"] as? Int == 3)
        report.result = Measurement()
        #expect(report.text.contains("\n0 resumptions"))
        report.perStream = nil
        #expect(!report.text.contains("resumption") && !report.json.contains("resumptions"))
    }

    @Test func theProcessorIsNamed() {
        #expect(
            Machine.cpuModel("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: x\n") == "Some CPU @ 2 GHz")
        #expect(Machine.cpuModel("Hardware: y\n") == nil)
    }
}
