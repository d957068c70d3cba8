import Foundation
import RPC
import Testing

@testable import Gateway

/// Whose a video is.
@Suite struct VideoOwnerTests {
    /// Digests of `ada-token`, `eve-token` and `root-token`.
    private static let credentials = """
        token sha256:54a976f1f7ea57f6add41516b340083a827ac641daefa7ce4e5f13cc1f9351d8 ada analyze
        token sha256:90623e5477a896ff088b7223109b65c9f6931b8889a22170c72f733462dd3bac eve analyze
        token sha256:2cff60a244379d429c1877c36ee7f37da39ad06073d31b8d90fccd15376f2adf root analyze,admin
        """

    private static func bearer(_ name: String) -> [String: String] { ["Authorization": "Bearer \(name)-token"] }

    @Test func onlyTheOwnerAndAdministratorsSeeAVideo() async throws {
        try await TestGateway.with(
            mesh: .shared, configure: { $0.credentials = try Credentials(text: Self.credentials) },
            { gateway in
                let id = try await gateway.uploadVideo(
                    try TestVideo.digits, "name=mine", headers: Self.bearer("ada")
                ).id
                for path in ["", "/results", "/events", "/annotated", "/areas"] {
                    let answer = try await gateway.get("/v1/videos/\(id)\(path)", headers: Self.bearer("eve"))
                    #expect(answer.status == 404, "\(path)")
                    #expect(!answer.text.contains("mine"))
                }
                for (method, path) in [("DELETE", ""), ("POST", "/cancel"), ("PUT", "/areas")] {
                    let answer = try await gateway.send(
                        method, "/v1/videos/\(id)\(path)", headers: Self.bearer("eve"), body: Data("{}".utf8))
                    #expect(answer.status == 404, "\(method) \(path)")
                }
                #expect(try await !gateway.get("/v1/videos", headers: Self.bearer("eve")).text.contains(id))
                #expect(try await gateway.get("/v1/videos?all=true", headers: Self.bearer("eve")).status == 403)
                #expect(try await gateway.get("/v1/videos/\(id)").status == 401)

                #expect(try await gateway.get("/v1/videos", headers: Self.bearer("ada")).text.contains(id))
                let seen = try await gateway.get("/v1/videos/\(id)", headers: Self.bearer("root"))
                #expect(try seen.json()["owner"] as? String == "ada")
                #expect(try await gateway.get("/v1/videos?all=true", headers: Self.bearer("root")).text.contains(id))
                #expect(
                    try await gateway.send("DELETE", "/v1/videos/\(id)", headers: Self.bearer("root")).status == 204)
                #expect(try await gateway.get("/v1/videos/\(id)", headers: Self.bearer("ada")).status == 404)
            })
    }
}
