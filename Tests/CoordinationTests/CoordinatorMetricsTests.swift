import Messages
import NIOCore
import RPC
import Telemetry
import Testing

@testable import Coordination

@Suite struct CoordinatorMetricsTests {
    private func lines(_ metrics: PrometheusMetrics) -> Set<String> {
        Set(metrics.text.split(separator: "\n").map(String.init))
    }

    @Test func eachFrameHasItsOutcomeAndItsStages() async throws {
        let metrics = PrometheusMetrics()
        try await TestMesh.with(configure: { $0.metrics = metrics }) { mesh in
            for _ in 0..<3 { _ = try await mesh.analyze("detect+classify") }
            let lines = lines(metrics)
            #expect(lines.contains("framemesh_frames_total{outcome=\"answered\",role=\"coordinator\"} 3"))
            #expect(lines.contains("framemesh_frames_total{outcome=\"failed\",role=\"coordinator\"} 0"))
            #expect(
                lines.contains("framemesh_frame_seconds_count{pipeline=\"detect+classify\",role=\"coordinator\"} 3"))
            for stage in ["queue", "fan_out", "merge"] {
                #expect(lines.contains("framemesh_stage_seconds_count{role=\"coordinator\",stage=\"\(stage)\"} 3"))
            }
            #expect(lines.contains("framemesh_endpoints{role=\"coordinator\",stage=\"detect\",state=\"ready\"} 1.0"))
            #expect(lines.contains("framemesh_queue_depth{role=\"coordinator\",stage=\"detect\"} 0.0"))
        }
    }

    @Test func whatFailsIsCountedByItsStatus() async throws {
        let metrics = PrometheusMetrics()
        let broken = ScriptedNode(onDetect: { _ in throw RPCError(.invalidArgument, "no picture") })
        try await TestMesh.with(detectors: [broken], configure: { $0.metrics = metrics }) { mesh in
            await #expect(throws: RPCError.self) { try await mesh.analyze("detect") }
            let lines = lines(metrics)
            #expect(lines.contains("framemesh_frames_total{outcome=\"failed\",role=\"coordinator\"} 1"))
            #expect(lines.contains("framemesh_drops_total{reason=\"invalid_argument\",role=\"coordinator\"} 1"))
        }
    }

    /// The reasons that a stream's rules give, and those of failures.
    @Test(arguments: [
        (AnswerStatus.dropped, StatusCode.aborted, "dropped", "replaced"),
        (.dropped, .deadlineExceeded, "dropped", "expired"), (.dropped, .resourceExhausted, "dropped", "no_room"),
        (.error, .unavailable, "failed", "unavailable"), (.error, StatusCode(rawValue: 99), "failed", "unknown"),
    ])
    func eachDropHasItsReason(_ status: AnswerStatus, _ code: StatusCode, _ outcome: String, _ reason: String) {
        let metrics = PrometheusMetrics()
        let counters = CoordinatorMetrics(pipelines: ["p"], factory: metrics)
        var response = AnalyzeResponse()
        response.status = status
        response.code = code.rawValue
        counters.answered(response, pipeline: "p", after: .milliseconds(3))
        let lines = lines(metrics)
        #expect(lines.contains("framemesh_frames_total{outcome=\"\(outcome)\",role=\"coordinator\"} 1"))
        #expect(lines.contains("framemesh_drops_total{reason=\"\(reason)\",role=\"coordinator\"} 1"))
        #expect(lines.count { $0.hasPrefix("framemesh_drops_total{") && $0.hasSuffix(" 1") } == 1)
    }
}
