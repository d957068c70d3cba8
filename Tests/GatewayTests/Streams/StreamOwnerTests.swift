import Foundation
import RPC
import Testing

@testable import Gateway

/// Whose a live stream is.
@Suite(.timeLimit(.minutes(5))) struct StreamOwnerTests {
    /// Digests of `ada-token`, `eve-token` and `root-token`.
    private static let credentials = """
        token sha256:54a976f1f7ea57f6add41516b340083a827ac641daefa7ce4e5f13cc1f9351d8 ada analyze
        token sha256:90623e5477a896ff088b7223109b65c9f6931b8889a22170c72f733462dd3bac eve analyze
        token sha256:2cff60a244379d429c1877c36ee7f37da39ad06073d31b8d90fccd15376f2adf root analyze,admin
        """

    private static func bearer(_ name: String) -> [String: String] { ["Authorization": "Bearer \(name)-token"] }

    private static func names(_ gateway: TestGateway, _ name: String) async throws -> [String] {
        let streams = try await gateway.get("/v1/streams", headers: bearer(name)).json()["streams"]
        return (streams as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
    }

    @Test func onlyTheOwnerAndAdministratorsSeeWatchAndFeedAStream() async throws {
        try await TestStream.with {
            $0.credentials = try Credentials(text: Self.credentials)
        } _: { gateway in
            let made = try await gateway.post(
                "/v1/streams", try JSONSerialization.data(withJSONObject: TestStream.pushed),
                type: "application/json", headers: Self.bearer("ada"))
            #expect(made.status == 201)
            let path = "/v1/streams/\(try made.json()["id"] as? String ?? "")"

            #expect(try await Self.names(gateway, "eve") == [])
            for part in ["", "/events", "/mjpeg"] {
                let answer = try await gateway.get(path + part, headers: Self.bearer("eve"))
                #expect(answer.status == 404, "\(part)")
                #expect(!answer.text.contains("camera"))
            }
            let picture = try Place.demo("numbers-01.jpg")
            for part in ["/frames", "/frames?wait=true"] {
                let answer = try await gateway.post(
                    path + part, picture, type: "image/jpeg", headers: Self.bearer("eve"))
                #expect(answer.status == 404, "\(part)")
            }
            for (method, part) in [("PUT", "/areas"), ("DELETE", "")] {
                let answer = try await gateway.send(
                    method, path + part, headers: Self.bearer("eve"), body: Data("{}".utf8))
                #expect(answer.status == 404, "\(method)")
            }
            #expect(try await gateway.get(path).status == 401)

            // Nothing of all that has touched it.
            let own = try await gateway.get(path, headers: Self.bearer("ada")).json()
            #expect(own["received"] as? Int == 0 && own["state"] as? String == "connecting")
            #expect(try await Self.names(gateway, "ada") == ["camera"])
            #expect(try await Self.names(gateway, "root") == ["camera"])
            #expect(try await gateway.get(path, headers: Self.bearer("root")).json()["owner"] as? String == "ada")
            #expect(try await gateway.send("DELETE", path, headers: Self.bearer("root")).status == 204)
            #expect(try await gateway.get(path, headers: Self.bearer("ada")).status == 404)
        }
    }
}
