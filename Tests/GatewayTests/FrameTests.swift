import Foundation
import Testing

@testable import Gateway

/// What holds for every request, with and without a mesh.
@Suite struct FrameTests {
    @Test func itStartsWithoutACoordinatorAndSaysSo() async throws {
        try await TestGateway.with { gateway in
            #expect(try await gateway.get("/healthz").status == 200)
            let answer = try await gateway.get("/readyz")
            #expect(answer.status == 503)
            #expect(answer.headers["retry-after"] == "1")
            #expect(answer.headers["content-type"] == "application/problem+json")
            #expect(try answer.json()["detail"] as? String == "no coordinator answers")
        }
    }

    @Test func itIsReadyOnceThereIsAMesh() async throws {
        try await TestGateway.with(mesh: .shared) { gateway in
            let answer = try await gateway.get("/readyz")
            #expect(answer.status == 200)
            let pipelines = try await gateway.get("/v1/pipelines").json()["pipelines"] as? [[String: Any]]
            #expect(pipelines?.contains { $0["name"] as? String == "cascade" } == true)
            let coordinators = try await gateway.get("/v1/nodes").json()["coordinators"] as? [[String: Any]]
            #expect((coordinators?.first?["nodes"] as? [Any])?.count == 2)
            let models = try await gateway.get("/v1/models").json()["models"] as? [[String: Any]]
            #expect(
                Set(models?.compactMap { $0["name"] as? String } ?? []) == ["digits-detector", "digits-classifier"])
        }
    }

    @Test func thePageIsServedFromMemoryAndOnlyWhenItHasChanged() async throws {
        try await TestGateway.with { gateway in
            let page = try await gateway.get("/")
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            let tag = try #require(page.headers["etag"])
            #expect(try await gateway.get("/page/index.html").body == page.body)
            let again = try await gateway.get("/", headers: ["If-None-Match": "\"other\", W/\(tag)"])
            #expect(again.status == 304 && again.body.isEmpty)
            #expect(try await gateway.get("/openapi.yaml").headers["content-type"] == "application/yaml")
        }
    }

    @Test(arguments: ["/", "/healthz", "/readyz", "/nothing", "/v1/nodes"])
    func everyAnswerForbidsWhatBrowsersShouldNotDo(_ path: String) async throws {
        try await TestGateway.with { gateway in
            let answer = try await gateway.get(path)
            let policy = try #require(answer.headers["content-security-policy"])
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(answer.headers["access-control-allow-origin"] == nil)
        }
    }

    @Test func whatIsNotThereAndWhatIsThereByAnotherMethod() async throws {
        try await TestGateway.with { gateway in
            let nothing = try await gateway.get("/v1/nothing")
            #expect(nothing.status == 404)
            #expect(try nothing.json()["status"] as? Int == 404)
            let wrong = try await gateway.send("DELETE", "/v1/images:analyze")
            #expect(wrong.status == 405 && wrong.headers["allow"] == "POST")
            #expect(try await gateway.send("POST", "/healthz").headers["allow"] == "GET, HEAD")
            #expect(try await gateway.send("HEAD", "/healthz").status == 200)
        }
    }

    @Test(arguments: [
        "/page/../openapi.yaml", "/page/%2e%2e/openapi.yaml", "/page//index.html/x", "/page/..%2f..%2fetc",
    ])
    func pathsThatClimbLeadNowhere(_ path: String) async throws {
        try await TestGateway.with { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            try await peer.until("\r\n\r\n")
            #expect(peer.text.hasPrefix("HTTP/1.1 404"), "\(peer.text.prefix(60))")
            peer.close()
        }
    }

    @Test(arguments: [
        ("localhost", 200), ("localhost:8080", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("gate.example", 200),
        ("GATE.example:1", 200), ("evil.example", 421), ("localhost.evil.example", 421), ("a:b:c", 421),
    ])
    func onLoopbackOnlyNamesOfOursAreAnswered(_ host: String, _ status: Int) async throws {
        try await TestGateway.with {
            $0.hosts = ["gate.example"]
        } _: { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send("GET /healthz HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            try await peer.until("\r\n\r\n")
            #expect(peer.text.hasPrefix("HTTP/1.1 \(status)"), "\(peer.text.prefix(60))")
            peer.close()
        }
    }

    @Test func pagesOfOtherOriginsChangeNothing() async throws {
        try await TestGateway.with {
            $0.origins = ["https://shop.example"]
        } _: { gateway in
            func status(_ origin: String) async throws -> (Int, String?) {
                let answer = try await gateway.post(
                    "/v1/images:analyze?format=nonsense", Data("x".utf8), type: "image/jpeg",
                    headers: ["Origin": origin])
                return (answer.status, answer.headers["access-control-allow-origin"])
            }
            #expect(try await status("https://evil.example").0 == 403)
            #expect(try await status("null").0 == 403)
            let allowed = try await status("https://shop.example")
            #expect(allowed.0 == 400 && allowed.1 == "https://shop.example", "also of an error a page may read why")
            #expect(try await status(gateway.base).0 == 400, "the gateway's own page may")
            let preflight = try await gateway.send(
                "OPTIONS", "/v1/images:analyze",
                headers: ["Origin": "https://shop.example", "Access-Control-Request-Method": "POST"])
            #expect(preflight.status == 204 && preflight.headers["access-control-allow-methods"] != nil)
        }
    }
}
