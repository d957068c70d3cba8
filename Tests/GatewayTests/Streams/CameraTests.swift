import Foundation
import Outbound
import Playback
import TestSupport
import Testing

@testable import Gateway

/// Cameras that speak RTSP: requests and RTP on one TCP connection.
@Suite(.timeLimit(.minutes(5))) struct CameraTests {
    /// A camera of this test, which shows the demo's video over and over.
    private static func with<Value: Sendable>(
        redirectedTo target: String? = nil, _ body: (_ url: String) async throws -> Value
    ) async throws -> Value {
        let script = Place.root.appending(path: "Tests/GatewayTests/python/rtsp_camera.py").path
        let video = Place.resources.appending(path: "demo/digits.mp4").path
        let camera = try ChildProcess(
            URL(fileURLWithPath: "/usr/bin/env"), ["python3", script, video] + (target.map { [$0] } ?? []),
            input: .open)
        defer { camera.closeInput() }
        let port = try await camera.line(startingWith: "port ")
        return try await body("rtsp://127.0.0.1:\(port)/cam")
    }

    private static func begin(_ gateway: TestGateway, _ url: String) async throws -> EventReader {
        let fields: [String: Any] = ["source": ["url": url], "pipeline": "detect"]
        let answer = try await gateway.post(
            "/v1/streams", try JSONSerialization.data(withJSONObject: fields), type: "application/json")
        try #require(answer.status == 201, "\(answer.text)")
        let id = try #require(try answer.json()["id"] as? String)
        return try await EventReader(gateway.base + "/v1/streams/\(id)/events", lastEventID: "0")
    }

    @Test func framesOfACameraAreAnswered() async throws {
        try await Self.with { url in
            try await TestGateway.with(mesh: .shared) {
                $0.streamAllow = try OutboundRule(allow: ["127.0.0.1"])
            } _: { gateway in
                var events = try await Self.begin(gateway, url)
                var found = 0
                while found < 3 {
                    let frame = try await events.first { $0.name == "frame" }.json()
                    if frame["status"] as? String == "ok" { found += 1 }
                }
            }
        }
    }

    @Test func aCameraThatSendsUsElsewhereIsNotFollowed() async throws {
        try await Self.with { elsewhere in
            try await Self.with(redirectedTo: elsewhere) { url in
                try await TestGateway.with(mesh: .shared) {
                    $0.streamAllow = try OutboundRule(allow: ["127.0.0.1"])
                    $0.limits.streams.sources.attempts = 1
                } _: { gateway in
                    var events = try await Self.begin(gateway, url)
                    while let event = try await events.next() {
                        #expect(event.name != "frame")
                        guard event.name == "state", try event.json()["state"] as? String == "failed" else { continue }
                        #expect(try event.json()["cause"] as? String != nil)
                        return
                    }
                    Issue.record("it did not fail")
                }
            }
        }
    }
}
