import Foundation
import RPC
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite struct MetricsTests {
    @Test func requestsAreCountedByRouteAndRefusalsByLimit() async throws {
        try await TestGateway.with(mesh: .ofPictures) {
            $0.limits.pictures.maxPictureBytes = 5
        } _: { gateway in
            _ = try await gateway.get("/healthz")
            _ = try await gateway.send("DELETE", "/nothing/\(UUID().uuidString)")
            _ = try await gateway.post("/v1/images:analyze", Data(repeating: 0, count: 6), type: nil)
            let text = try await gateway.get("/metrics").text
            #expect(text.contains(#"http_requests_total{method="GET",route="/healthz",status="200"} 1"#))
            #expect(text.contains(#"http_requests_total{method="any",route="none",status="404"} 1"#))
            #expect(text.contains(#"http_refused_total{limit="max-picture-bytes"} 1"#))
            #expect(text.contains(#"http_request_seconds_count{route="/healthz"} 1"#))
            #expect(text.contains("http_pictures_in_flight 0.0"))
            #expect(!text.contains("nothing"), "no word of a peer's is a label")
        }
    }

    @Test func whatNobodyHasAskedForIsThereToo() async throws {
        let tables = try DocumentTable.all(of: "observability.md").filter { $0.heading == "The gateway" }
        let listed = tables.flatMap { $0.words(in: "metric") }.map { String($0.prefix { $0 != "{" }) }
        let text = try await TestGateway.with { try await $0.get("/metrics").text }
        // Those of routes come with their first requests.
        let missing = listed.filter { !text.contains("# TYPE \($0) ") }
        #expect(missing.sorted() == ["http_request_seconds", "http_requests_total"])
        #expect(listed.count > 20)
        #expect(text.contains(#"http_refused_total{limit="max-uploads"} 0"#))
        #expect(text.contains(#"framemesh_video_jobs{state="queued"} 0.0"#))
        #expect(text.contains("framemesh_job_store_up 1.0"))
        #expect(text.contains("framemesh_job_store_unseen 0.0"))
        #expect(text.contains("http_connections 1.0"), "the one that asks")
    }

    /// A limit that refuses and is not in the list would not be there at zero.
    @Test func everyLimitThatRefusesIsKnown() throws {
        let files = FileManager.default.enumerator(
            at: Place.root.appending(path: "Sources/Gateway"), includingPropertiesForKeys: nil)
        var found: Set<String> = []
        for case let file as URL in try #require(files) where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            let names = text.matches(of: /(?:limit: \(|named: |return )"([a-z]+(?:-[a-z]+)*)"|"([a-z-]+)", of: "/)
            found.formUnion(names.compactMap { ($0.1 ?? $0.2).map(String.init) })
        }
        let limits = Set(GatewayLimits.limits.map(\.name))
        let refusing = Set(GatewayMetrics.refusing)
        #expect(found.intersection(limits).subtracting(refusing).isEmpty)
        #expect(found.contains("max-uploads") && found.contains("max-connections"), "the search finds what there is")
        #expect(refusing.subtracting(limits).isEmpty)
        #expect(refusing.count == GatewayMetrics.refusing.count)
    }

    @Test func streamsAreCountedWithTheirFrames() async throws {
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            #expect(try await TestStream.push(gateway, path).status == 200)
            let text = try await gateway.get("/metrics").text
            #expect(text.contains(#"framemesh_streams{state="live"} 1.0"#))
            #expect(text.contains("framemesh_stream_frames_received_total 1\n"))
            #expect(text.contains(#"framemesh_stream_frames_total{outcome="answered"} 1"#))
            #expect(text.contains(#"framemesh_stream_frames_total{outcome="failed"} 0"#))
        }
    }

    @Test(.timeLimit(.minutes(10))) func videosAreCountedWithTheirFilesAndTurns() async throws {
        try await TestGateway.with(mesh: .shared) {
            $0.limits.videos.censusInterval = .milliseconds(20)
        } _: { gateway in
            let video = try TestVideo.digits
            let id = try await gateway.uploadVideo(video, "pipeline=detect").id
            let job = try await gateway.finishedJob(id)
            let frames = try #require(job[path: "progress.frames_done"])
            let stored = try #require(job["stored_bytes"] as? Int)
            #expect(stored > video.count, "results count too")
            let wanted = [
                #"framemesh_video_jobs{state="done"} 1.0"#, #"framemesh_video_jobs{state="queued"} 0.0"#,
                #"framemesh_video_turns_total{outcome="done"} 1"#, "framemesh_video_frames_total \(frames)",
                "framemesh_video_upload_bytes_total \(video.count)", "framemesh_stored_bytes \(Double(stored))",
                "framemesh_video_queue_seconds 0.0",
            ]
            // The job is seen to be done before its turn is over, and before it is counted again.
            var missing = wanted
            while !missing.isEmpty {
                let lines = Set(try await gateway.get("/metrics").text.split(separator: "\n").map(String.init))
                missing = wanted.filter { !lines.contains($0) }
                if !missing.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            }
        }
    }

    @Test func whatBecomesOfWebhooksIsCounted() {
        let shown = PrometheusMetrics()
        let metrics = WebhookMetrics(of: "streams", factory: shown)
        metrics.attempted(.again(atLeast: nil))
        metrics.attempted(.heard)
        metrics.ended(
            WebhookQueue.Counts(delivered: 3, failed: 1, dropped: 7),
            before: WebhookQueue.Counts(delivered: 2, failed: 1, dropped: 0))
        metrics.gaveUp()
        func line(_ name: String, _ outcome: String, _ count: Int) -> String {
            "framemesh_webhook_\(name)_total{of=\"streams\",outcome=\"\(outcome)\"} \(count)\n"
        }
        let text = shown.text
        #expect(text.contains(line("attempts", "again", 1)) && text.contains(line("attempts", "heard", 1)))
        #expect(text.contains(line("deliveries", "delivered", 1)) && text.contains(line("deliveries", "failed", 1)))
        #expect(text.contains(line("deliveries", "dropped", 7)))
    }
}
