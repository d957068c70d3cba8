import Foundation
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
}
