import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What tests of live streams begin with.
enum TestStream {
    static var everywhere: [String: Any] {
        ["normalized": true, "zones": [["name": "all", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]]]]
    }

    static func with<Value: Sendable>(
        configure: (inout GatewayConfiguration) throws -> Void = { _ in },
        _ body: (TestGateway) async throws -> Value
    ) async throws -> Value {
        try await TestGateway.with(mesh: .shared) { configuration in
            configuration.cameraFolder = Place.resources.appending(path: "demo").path
            // The mesh is everybody's, and may have much to do.
            configuration.limits.streams.frameWait = .seconds(300)
            try configure(&configuration)
        } _: {
            try await body($0)
        }
    }

    static func create(_ gateway: TestGateway, _ fields: [String: Any]) async throws
        -> TestGateway.Answer
    {
        try await gateway.post(
            "/v1/streams", try JSONSerialization.data(withJSONObject: fields), type: "application/json")
    }

    /// - Returns: its path.
    static func begin(_ gateway: TestGateway, _ fields: [String: Any]) async throws -> String {
        let answer = try await create(gateway, fields)
        try #require(answer.status == 201, "\(answer.text)")
        let id = try #require(try answer.json()["id"] as? String)
        #expect(answer.headers["location"] == "/v1/streams/\(id)")
        return "/v1/streams/\(id)"
    }

    static var pushed: [String: Any] {
        [
            "name": "camera", "source": ["push": true], "pipeline": "detect", "policy": "lossless",
        ]
    }

    static func push(_ gateway: TestGateway, _ path: String, wait: Bool = true) async throws
        -> TestGateway.Answer
    {
        try await gateway.post(
            path + "/frames" + (wait ? "?wait=true" : ""), try Place.demo("numbers-01.jpg"),
            type: "image/jpeg")
    }
}
