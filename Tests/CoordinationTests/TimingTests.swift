import Messages
import RPC
import Services
import Telemetry
import Testing

@testable import Coordination

/// The times that an answer carries.
@Suite(.timeLimit(.minutes(5))) struct TimingTests {
    /// Takes its time, most of which it accounts for.
    private static let slow = ScriptedNode(onDetect: { request in
        try await Task.sleep(for: .milliseconds(20))
        var response = DetectResponse.found([.digit(at: 5), .digit(at: 40)], in: request.frame)
        response.timing = [Timing("queue", microseconds: 2000), Timing("infer", microseconds: 15_000)]
        return response
    })

    private static let own = ["coordinator.fan_out", "coordinator.merge", "total"]

    /// Microseconds of a step, which is there once.
    private static func time(_ step: String, of answer: AnalyzeResponse) throws -> UInt64 {
        let all = answer.timing.filter { $0.stage == step }
        #expect(all.count == 1, "\(step): \(answer.timing.map(\.stage))")
        return try #require(all.first).microseconds
    }

    /// All that the answer has of a stage.
    private static func sum(_ stage: String, of answer: AnalyzeResponse) -> UInt64 {
        answer.timing.filter { $0.stage.hasPrefix("\(stage).") }.reduce(0) { $0 + $1.microseconds }
    }

    /// The coordinator's own parts are the whole, but for what each of the three loses when it is rounded down.
    private static func expectTheWhole(_ answer: AnalyzeResponse) throws {
        let parts = try ["coordinator.queue", "coordinator.fan_out", "coordinator.merge"].reduce(0) {
            $0 + (try time($1, of: answer))
        }
        let total = try time("total", of: answer)
        #expect(parts <= total && total - parts <= 2, "\(answer.timing)")
    }

    @Test func whatANodeTookIsInTheFanOut() async throws {
        try await TestMesh.with(detectors: [Self.slow]) { mesh in
            let answer = try await mesh.analyze("detect")
            #expect(
                answer.timing.map(\.stage)
                    == ["coordinator.queue", "detect.queue", "detect.infer", "detect.network"] + Self.own)
            // With the way there and back, by which it is all of the call.
            let steps = Self.sum("detect", of: answer)
            #expect(try steps >= 19_000 && Self.time("coordinator.fan_out", of: answer) >= steps)
            try Self.expectTheWhole(answer)
        }
    }

    @Test(arguments: [false, true])
    func eachPipelineTellsBothOnce(isFused: Bool) async throws {
        try await TestMesh.with(
            detectors: isFused ? nil : [Self.slow], classifiers: isFused ? nil : [ScriptedNode()],
            both: isFused ? [ScriptedNode(onDetect: Self.slow.onDetect)] : nil
        ) { mesh in
            for pipeline in ["detect", "classify", "detect+classify", "cascade"] {
                let answer = try await mesh.analyze(pipeline)
                #expect(answer.status == .ok && answer.timing.map(\.stage).suffix(3) == Self.own[...])
                try Self.expectTheWhole(answer)
                let stages = ["detect", "classify", "node"].map { Self.sum($0, of: answer) }
                // At once it is the longest of them, in turn and in one call all.
                let isAtOnce = pipeline == "detect+classify" && !isFused
                let least = isAtOnce ? stages.max() ?? 0 : stages.reduce(0, +)
                #expect(try Self.time("coordinator.fan_out", of: answer) >= least, "\(pipeline): \(answer.timing)")
            }
        }
    }

    /// The tracker comes behind what the coordinator calls the whole.
    @Test func framesOfAStreamThatTracksTellThemToo() async throws {
        try await TestMesh.with(detectors: [Self.slow]) { mesh in
            for pipeline in ["track", "cascade+track"] {
                let answers = try await mesh.stream(pipeline, count: 5)
                #expect(answers.count == 5)
                for answer in answers {
                    #expect(answer.timing.map(\.stage).suffix(5) == (Self.own + ["coordinator.turn", "track"])[...])
                    try Self.expectTheWhole(answer)
                }
            }
        }
    }

    /// They go out in order: what is there before its turn waits, which is in no other step.
    @Test func answersOfAStreamTellTheWaitForTheirTurn() async throws {
        let slowAtFirst = ScriptedNode(onDetect: { request in
            if request.frame.sequence == 0 { try await Task.sleep(for: .milliseconds(200)) }
            return .found([], in: request.frame)
        })
        try await TestMesh.with(detectors: [slowAtFirst]) { mesh in
            let answers = try await mesh.stream("detect", count: 4)
            #expect(answers.count == 4)
            for answer in answers {
                #expect(answer.timing.map(\.stage).suffix(4) == (Self.own + ["coordinator.turn"])[...])
                try Self.expectTheWhole(answer)
            }
            #expect(try Self.time("coordinator.turn", of: answers[1]) > 0)
        }
    }

    @Test func answersWithoutAStageTellThemToo() async throws {
        let broken = ScriptedNode(onClassify: { _ in throw RPCError(.internal, "no classes today") })
        try await TestMesh.with(detectors: [Self.slow], classifiers: [broken]) { mesh in
            let answer = try await mesh.analyze("detect+classify")
            #expect(answer.status == .partial && answer.missing == ["classify"])
            #expect(answer.timing.map(\.stage).suffix(3) == Self.own[...])
            try Self.expectTheWhole(answer)
        }
    }

    /// What is shown as a metric and what the answer says are one measurement.
    @Test func theAnswerSaysWhatTheMetricsCount() async throws {
        let metrics = PrometheusMetrics()
        try await TestMesh.with(detectors: [Self.slow], configure: { $0.metrics = metrics }) { mesh in
            let answer = try await mesh.analyze("detect")
            for stage in ["queue", "fan_out", "merge"] {
                let head = "framemesh_stage_seconds_sum{role=\"coordinator\",stage=\"\(stage)\"} "
                let line = try #require(metrics.text.split(separator: "\n").first { $0.hasPrefix(head) })
                let seconds = try #require(Double(line.dropFirst(head.count)))
                let lost = try seconds * 1e6 - Double(Self.time("coordinator.\(stage)", of: answer))
                #expect(lost > -0.001 && lost < 1.001, "\(line) \(answer.timing)")
            }
        }
    }
}
