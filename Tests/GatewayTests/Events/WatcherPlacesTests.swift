import Foundation
import RPC
import TestSupport
import Testing

@testable import Gateway

/// Places of those who look on, over HTTP: of streams, and of videos.
@Suite(.timeLimit(.minutes(5))) struct WatcherPlacesTests {
    /// Digests of `ada-token`, `eve-token` and `root-token`.
    private static let credentials = """
        token sha256:54a976f1f7ea57f6add41516b340083a827ac641daefa7ce4e5f13cc1f9351d8 ada analyze
        token sha256:90623e5477a896ff088b7223109b65c9f6931b8889a22170c72f733462dd3bac eve analyze
        token sha256:2cff60a244379d429c1877c36ee7f37da39ad06073d31b8d90fccd15376f2adf root analyze,admin
        """

    private static func bearer(_ name: String) -> [String: String] { ["Authorization": "Bearer \(name)-token"] }

    @Test func oneCallerCannotTakeAllPlacesAtStreams() async throws {
        try await TestStream.with {
            $0.limits.events.viewers = 3
            $0.limits.rate.share = 0.5
            $0.credentials = try Credentials(text: Self.credentials)
        } _: { gateway in
            let made = try await gateway.post(
                "/v1/streams", try JSONSerialization.data(withJSONObject: TestStream.pushed),
                type: "application/json", headers: Self.bearer("eve"))
            let path = "/v1/streams/\(try made.json()["id"] as? String ?? "")"
            func watch(_ name: String) async throws -> EventReader {
                try await EventReader(gateway.base + path + "/events", headers: Self.bearer(name))
            }
            let mine = [try await watch("eve"), try await watch("eve")]
            #expect(mine.map(\.status) == [200, 200])
            for part in ["/events", "/mjpeg"] {
                let excess = try await gateway.get(path + part, headers: Self.bearer("eve"))
                #expect(excess.status == 429 && excess.headers["retry-after"] != nil)
                #expect(try excess.json()["limit_name"] as? String == "caller-share")
            }
            let other = try await watch("root")
            #expect(other.status == 200)
            let full = try await gateway.get(path + "/events", headers: Self.bearer("root"))
            #expect(try full.json()["limit_name"] as? String == "viewers")
            withExtendedLifetime((mine, other)) {}
        }
    }

    @Test func theSameAtVideos() async throws {
        try await TestGateway.with(mesh: .shared) {
            $0.limits.videos.maxWatchers = 3
            $0.limits.rate.share = 0.5
            $0.credentials = try Credentials(text: Self.credentials)
        } _: { gateway in
            // Long enough to be watched; it is cancelled behind that.
            let id = try await gateway.uploadVideo(
                try await TestVideo.long(in: gateway.data), headers: Self.bearer("eve")
            ).id
            let path = "/v1/videos/\(id)/events"
            func watch(_ name: String) async throws -> EventReader {
                try await EventReader(gateway.base + path, headers: Self.bearer(name))
            }
            let mine = [try await watch("eve"), try await watch("eve")]
            #expect(mine.map(\.status) == [200, 200])
            let excess = try await gateway.get(path, headers: Self.bearer("eve"))
            #expect(excess.status == 429)
            #expect(try excess.json()["limit_name"] as? String == "caller-share")
            var other = try await watch("root")
            #expect(other.status == 200)
            let full = try await gateway.get(path, headers: Self.bearer("root"))
            #expect(full.status == 429)
            #expect(try full.json()["limit_name"] as? String == "max-video-watchers")
            _ = try await gateway.send("POST", "/v1/videos/\(id)/cancel", headers: Self.bearer("eve"))
            _ = try await other.first { $0.name == "end" }
            withExtendedLifetime(mine) {}
        }
    }
}
