import Client
import Foundation
import HTTPTypes
import Hummingbird
import Mesh
import NIOCore
import Synchronization
import TestSupport
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
        try await TestGateway.with(mesh: .ofPictures) {
            $0.build = "1.2.3"
        } _: { gateway in
            let answer = try await gateway.get("/readyz")
            #expect(answer.status == 200)
            let pipelines = try await gateway.get("/v1/pipelines").json()["pipelines"] as? [[String: Any]]
            #expect(pipelines?.contains { $0["name"] as? String == "cascade" } == true)
            let nodes = try await gateway.get("/v1/nodes").json()
            #expect(nodes["version"] as? String == "1.2.3")
            let coordinators = nodes["coordinators"] as? [[String: Any]]
            #expect((coordinators?.first?["nodes"] as? [Any])?.count == 2)
            let models = try await gateway.get("/v1/models").json()["models"] as? [[String: Any]]
            #expect(
                Set(models?.compactMap { $0["name"] as? String } ?? []) == ["digits-detector", "digits-classifier"])
        }
    }

    @Test func everyCoordinatorTellsItsOwnView() async throws {
        let whole = try await BundledMesh.ofPictures
        let half = try await BundledMesh.withoutClassifiers
        let hosts = [whole.target.hostPorts, half.target.hostPorts, "127.0.0.1:1"]
        let mesh = BundledMesh(
            target: try Target(parsing: "static:///" + hosts.joined(separator: ",")), detectors: whole.detectors)
        try await TestGateway.with(mesh: mesh) { gateway in
            func coordinators() async throws -> [String: [String: Any]] {
                let all = try await gateway.get("/v1/nodes").json()["coordinators"] as? [[String: Any]] ?? []
                return Dictionary(uniqueKeysWithValues: all.map { ($0["address"] as? String ?? "", $0) })
            }
            let end = ContinuousClock.now + .seconds(120)
            var seen = try await coordinators()
            while seen.values.count(where: { $0["state"] as? String == "ready" }) < 2, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(20))
                seen = try await coordinators()
            }
            #expect(Set(seen.keys) == Set(hosts))
            func ready(_ host: String) -> Int {
                (seen[host]?["nodes"] as? [[String: Any]] ?? []).count { $0["state"] as? String == "ready" }
            }
            #expect(ready(hosts[0]) == 2 && ready(hosts[1]) == 1 && ready(hosts[2]) == 0)
            #expect(seen[hosts[2]]?["state"] as? String == "connecting" && seen[hosts[2]]?["reason"] != nil)
            // A node that two coordinators send to is one.
            let models = try await gateway.get("/v1/models").json()["models"] as? [[String: Any]] ?? []
            #expect(models.allSatisfy { $0["nodes"] as? Int == 1 } && models.count == 2)
        }
    }

    @Test func whoeverAsksAtTheSameTimeIsAnsweredByOneLook() async throws {
        let flight = SingleFlight<Int>()
        let runs = Counter()
        let (gate, open) = AsyncStream<Never>.makeStream()
        let (asking, asks) = AsyncStream<Void>.makeStream()
        try await withThrowingTaskGroup(of: Int.self) { tasks in
            for _ in 0..<50 {
                tasks.addTask {
                    asks.yield()
                    return try await flight.value {
                        for await _ in gate {}
                        return runs.next()
                    }
                }
            }
            // All ask now; a straggler may see another run.
            for await _ in asking.prefix(50) {}
            open.finish()
            let values = try await tasks.reduce(into: []) { $0.append($1) }
            #expect(values.count == 50)
            #expect(values.count { $0 == 1 } > 1, "\(values)")
        }
        #expect(try await flight.value { runs.next() } > 1, "the next one looks again")
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
            #expect(try await gateway.get("/healthz").headers["vary"] == "Origin")
        }
    }

    @Test func whatVariesByAcceptAndOriginSaysBoth() async throws {
        let picture = try Place.demo("numbers-01.jpg")
        try await TestGateway.with(mesh: .ofPictures) {
            $0.origins = ["https://shop.example"]
        } _: { gateway in
            let answer = try await gateway.post(
                "/v1/images:analyze?pipeline=detect", picture, type: "image/jpeg",
                headers: ["Origin": "https://shop.example"])
            #expect(answer.headers["vary"] == "Accept, Origin")
        }
    }

    @Test func aParameterThatARouteDoesNotKnowIsNamedByEachOfThem() async throws {
        try await TestGateway.with(mesh: .ofPictures) { gateway in
            for route in gateway.routes {
                let path = route.path.replacing(/\{[a-z]+\}/, with: "x")
                let answer = try await gateway.send(route.method.rawValue, path + "?nonsense=1")
                let name = "\(route.method.rawValue) \(route.path)"
                #expect(answer.status == 400, "\(name): \(answer.text)")
                guard route.method != .head else { continue }
                #expect(try answer.json()["field"] as? String == "nonsense", "\(name)")
            }
        }
    }

    /// A file that goes while it is asked for, for example.
    @Test func whatARouteDoesNotFindIsNotFound() {
        let table = RouteTable()
        table.add(.init(method: .get, path: "/v1/things/{id}", access: .open))
        func status(_ method: HTTPRequest.Method, _ path: String) -> Int {
            let head = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
            return table.absence(of: Request(head: head, body: .init(buffer: ByteBuffer()))).status.code
        }
        #expect(status(.get, "/v1/things/1") == 404 && status(.head, "/v1/things/1") == 404)
        #expect(status(.put, "/v1/things/1") == 405 && status(.get, "/v1/things") == 404)
    }
}

/// Counts runs.
private final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
