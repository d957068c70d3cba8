import Messages
import NIOCore
import RPC
import Telemetry
import Testing

@testable import Node

@Suite(.timeLimit(.minutes(5))) struct NodeMetricsTests {
    @Test func anIdlePoolShowsWhatAnAutoscalerAsksFor() async throws {
        let clock = TestClock()
        try await ScriptedPool.with(limit: 5, now: { clock.now }) { scripted in
            let metrics = PrometheusMetrics()
            scripted.pool.show(in: metrics, role: .detector)
            let text = metrics.text
            for name in ["queue_depth", "queue_delay_seconds", "busy_ratio", "frames_running"] {
                #expect(text.contains("framemesh_\(name){role=\"detector\"} 0.0\n"))
            }
            #expect(text.contains("framemesh_queue_limit{role=\"detector\"} 5.0\n"))
            #expect(text.contains("framemesh_workers{role=\"detector\"} 1.0\n"))
            #expect(text.contains("framemesh_drops_total{reason=\"queue_full\",role=\"detector\"} 0.0\n"))
        }
    }

    @Test func aBusyPoolShowsItsQueueAndWhatItRefused() async throws {
        let clock = TestClock()
        try await ScriptedPool.with(limit: 1, now: { clock.now }) { scripted in
            let metrics = PrometheusMetrics()
            scripted.pool.show(in: metrics, role: .classifier)
            let (gate, running) = await scripted.occupied()
            let waiting = Task { try await scripted.run(1) }
            await scripted.untilWaiting(1)
            #expect(await failure { try await scripted.run(2) }?.code == .resourceExhausted)
            clock.advance(by: .seconds(4))
            let busy = metrics.text
            #expect(busy.contains("framemesh_queue_depth{role=\"classifier\"} 1.0\n"))
            #expect(busy.contains("framemesh_frames_running{role=\"classifier\"} 1.0\n"))
            #expect(busy.contains("framemesh_busy_ratio{role=\"classifier\"} 1.0\n"), "what is in hand counts")
            #expect(busy.contains("framemesh_worker_busy_seconds_total{role=\"classifier\"} 4.0\n"))
            #expect(busy.contains("framemesh_drops_total{reason=\"queue_full\",role=\"classifier\"} 1.0\n"))
            #expect(busy.contains("framemesh_frames_total{outcome=\"refused\",role=\"classifier\"} 1.0\n"))
            gate.open()
            _ = try await (running.value, waiting.value)
            let done = metrics.text
            #expect(done.contains("framemesh_frames_total{outcome=\"answered\",role=\"classifier\"} 2.0\n"))
            #expect(done.contains("framemesh_worker_busy_seconds_total{role=\"classifier\"} 4.0\n"))
        }
    }

    /// What a worker says of a request, and the reason that it is counted under.
    @Test(arguments: [
        (RPCError(.invalidArgument, "no picture"), "bad_picture"), (RPCError(.internal, "lost"), "internal"),
        (RPCError(.deadlineExceeded, "late"), "deadline"),
    ])
    func eachFailureHasItsReason(_ error: RPCError, _ reason: String) async throws {
        try await ScriptedPool.with { scripted in
            let metrics = PrometheusMetrics()
            scripted.pool.show(in: metrics, role: .detector)
            #expect(await failure { try await scripted.run(1) { () throws(RPCError) in throw error } } != nil)
            let text = metrics.text
            #expect(text.contains("framemesh_drops_total{reason=\"\(reason)\",role=\"detector\"} 1.0\n"))
            #expect(text.split(separator: "\n").count { $0.contains("drops_total{") && $0.hasSuffix(" 1.0") } == 1)
        }
    }

    @Test func theStagesOfEachFrameAreMeasured() async throws {
        let metrics = PrometheusMetrics()
        try await TestNode.with(.detector, configure: { $0.metrics = metrics }) { node in
            for picture in try TestModels.pictures().prefix(3) { _ = try await node.detect(picture) }
            let text = metrics.text
            for stage in ["queue", "decode", "preprocess", "infer", "postprocess"] {
                #expect(
                    text.contains("framemesh_stage_seconds_count{role=\"detector\",stage=\"\(stage)\"} 3\n"))
            }
            #expect(text.contains("framemesh_batch_size_count{role=\"detector\"} 3\n"))
            #expect(text.contains("framemesh_batch_size_bucket{role=\"detector\",le=\"1.0\"} 3\n"))
        }
    }
}
