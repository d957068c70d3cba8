import Messages
import NIOCore
import RPC
import Services
import Synchronization
import Telemetry
import TestSupport
import Testing
import Tracing

@testable import Coordination
@testable import Traces

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

    /// Once all of it is shown.
    private func wait(for wanted: [String], in metrics: PrometheusMetrics) async throws {
        while !lines(metrics).isSuperset(of: wanted) { try await Task.sleep(for: .milliseconds(5)) }
    }

    private static func frames(_ outcome: String, _ count: Int) -> String {
        "framemesh_frames_total{outcome=\"\(outcome)\",role=\"coordinator\"} \(count)"
    }

    private static func drops(_ reason: String, _ count: Int) -> String {
        "framemesh_drops_total{reason=\"\(reason)\",role=\"coordinator\"} \(count)"
    }

    /// A node that holds frames until they are cancelled, and says when it has one.
    private static func holding() -> (node: ScriptedNode, begun: AsyncStream<Void>) {
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let node = ScriptedNode(onDetect: { _ in
            begin.yield()
            while true { try await Task.sleep(for: .seconds(600)) }
        })
        return (node, begun)
    }

    @Test(.timeLimit(.minutes(5))) func aClientThatLeavesIsNoFailure() async throws {
        let metrics = PrometheusMetrics()
        let (node, begun) = Self.holding()
        try await TestMesh.with(detectors: [node], classifiers: nil, configure: { $0.metrics = metrics }) { mesh in
            let call = Task { try await mesh.analyze("detect") }
            for await _ in begun { break }
            call.cancel()
            _ = try? await call.value
            try await wait(for: [Self.frames("abandoned", 1), Self.drops("abandoned", 1)], in: metrics)
            #expect(lines(metrics).isSuperset(of: [Self.frames("failed", 0), Self.drops("cancelled", 0)]))
        }
    }

    @Test(.timeLimit(.minutes(5))) func aStreamWhoseClientLeavesAbandonsItsFramesAndEndsTheirTraces() async throws {
        let metrics = PrometheusMetrics()
        let ended = Mutex<[FinishedSpan]>([])
        let log = LogRecorder()
        let (node, begun) = Self.holding()
        try await TestMesh.with(
            detectors: [node], classifiers: nil,
            configure: {
                $0.metrics = metrics
                $0.tracer = MeshTracer(ratio: 1) { span in ended.withLock { $0.append(span) } }
            }, logger: log.logger
        ) { mesh in
            let stream = AnalyzeStreamClient(try await mesh.connection.open(MethodPath.analyzeStream))
            for sequence in 0..<3 as Range<UInt64> {
                try await stream.send(AnalyzeRequest(frame: mesh.frame(sequence), pipeline: "detect"))
            }
            var begins = begun.makeAsyncIterator()
            for _ in 0..<3 { await begins.next() }
            stream.cancel()
            try await wait(for: [Self.frames("abandoned", 3), Self.drops("abandoned", 3)], in: metrics)
            #expect(lines(metrics).isSuperset(of: [Self.frames("failed", 0), Self.drops("cancelled", 0)]))
            // Before they are counted.
            let frames = ended.withLock { $0.filter { $0.name == "frame" } }
            #expect(frames.compactMap { $0.attributes.get("framemesh.frame") } == [.int64(0), .int64(1), .int64(2)])
            #expect(frames.allSatisfy { $0.attributes.get("framemesh.status") == .string("abandoned") })
            #expect(!log.lines.contains { $0.message == "frame failed" })
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
