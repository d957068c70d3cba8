import Foundation
import HTTPTypes
import NIOCore
import RPC
import TestSupport
import Testing

@testable import Gateway

/// A request that is fine, and refused by the limit that it is beyond as soon as that is set by its flag.
@Suite struct LimitTests {
    struct Row: Sendable, CustomTestStringConvertible {
        /// `NAME=VALUE`.
        var flag: String
        var status: Int
        var path: String
        var body: Data
        var type = "application/json"
        /// The answer names the field rather than the limit.
        var field: String?

        var testDescription: String { flag }
        var name: String { String(flag.prefix { $0 != "=" }) }
    }

    private static func stream(_ flag: String, _ fields: String) -> Row {
        Row(flag: flag, status: 400, path: "/v1/streams", body: Data(#"{"source":{"push":true},\#(fields)}"#.utf8))
    }

    private static func zone(_ flag: String, _ fields: String) -> Row {
        stream(flag, #""areas":{"zones":[{"name":"zone","points":[[0,0],[9,0],[9,9],[0,9]]\#(fields)}]}"#)
    }

    private static let analyze = "/v1/images:analyze?pipeline=detect"

    private static func picture(_ flag: String, _ status: Int, _ query: String = "", field: String? = nil) -> Row {
        let picture = (try? Place.demo("numbers-01.jpg")) ?? Data()
        return Row(
            flag: flag, status: status, path: analyze + query, body: picture, type: "image/jpeg", field: field)
    }

    private static func form(_ flag: String, _ status: Int) -> Row {
        let picture = (try? Place.demo("numbers-01.jpg")) ?? Data()
        var body = Data()
        for name in ["a.jpg", "b.jpg"] {
            body += Data("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\(name)\"\r\n".utf8)
            body += Data("X-Padding: \(String(repeating: "x", count: 200))\r\n\r\n".utf8) + picture + Data("\r\n".utf8)
        }
        return Row(
            flag: flag, status: status, path: analyze, body: body + Data("--b--\r\n".utf8),
            type: "multipart/form-data; boundary=b")
    }

    private static let rows = [
        stream("max-json-bytes=50", #""name":"a name that is not long","pipeline":"detect""#).with(status: 413),
        stream("stream-name=3", #""name":"door""#),
        stream(
            "areas=1",
            #""areas":{"lines":[{"name":"a","from":[0,0],"to":[1,1]},{"name":"b","from":[0,0],"to":[1,1]}]}"#),
        zone("area-points=3", ""), zone("area-name=3", ""), zone("area-coordinate=8", ""),
        zone("area-labels=1", #","labels":["a","b"]"#), zone("area-label=3", #","labels":["person"]"#),
        zone("area-dwell=5", #","dwell_seconds":6"#),
        picture("max-picture-bytes=100", 413),
        picture("max-deadline=1s", 400, "&deadline_ms=60000", field: "deadline_ms"),
        picture("max-drawn-pixels=1000", 422, "&format=jpeg"),
        form("max-pictures=1", 413), form("max-multipart-bytes=1000", 413), form("max-part-header-bytes=100", 400),
        picture("max-upload-memory=100", 429),
    ]

    @Test(arguments: rows) func whatIsBeyondItIsRefusedByIt(_ row: Row) async throws {
        func answer(_ flags: [String]) async throws -> TestGateway.Answer {
            try await TestGateway.with(mesh: .ofPictures) { configuration in
                for flag in flags { try GatewayLimits.limits.set(flag, in: &configuration.limits) }
            } _: { gateway in
                try await gateway.post(row.path, row.body, type: row.type)
            }
        }
        let usual = try await answer([])
        #expect((200..<300).contains(usual.status), "\(usual.text.prefix(300))")
        let refused = try await answer([row.flag])
        #expect(refused.status == row.status, "\(refused.text.prefix(300))")
        let problem = try refused.json()
        if let field = row.field {
            #expect(problem["field"] as? String ?? "" == field)
        } else {
            #expect(problem["limit_name"] as? String == row.name, "\(refused.text)")
            #expect(problem["limit"] is NSNumber)
        }
    }

    // ---- what is seen on connections ----

    @Test func moreConnectionsThanThereMayBeAreClosed() async throws {
        try await TestGateway.with {
            try GatewayLimits.limits.set("max-connections=1", in: &$0.limits)
        } _: { gateway in
            let first = try await RawPeer.connect(to: gateway.address)
            await first.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await first.until("200 OK")
            let second = try await RawPeer.connect(to: gateway.address)
            await second.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await second.untilClosed().isEmpty)
            first.close()
        }
    }

    @Test(arguments: [
        ("max-header-bytes=1024", "X-Long: \(String(repeating: "x", count: 2000))\r\n"),
        ("max-header-fields=8", (0..<20).map { "X-\($0): x\r\n" }.joined()),
    ])
    func aHeaderBeyondItsLimitEndsTheConnection(_ flag: String, _ fields: String) async throws {
        func answer(_ flags: [String]) async throws -> String {
            try await TestGateway.with { configuration in
                for flag in flags { try GatewayLimits.limits.set(flag, in: &configuration.limits) }
            } _: { gateway in
                let peer = try await RawPeer.connect(to: gateway.address)
                await peer.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(fields)\r\n")
                return try await peer.untilClosed()
            }
        }
        #expect(try await answer([]).hasPrefix("HTTP/1.1 200"))
        #expect(try await !answer([flag]).contains(" 200 "))
    }

    /// A body of two bytes in chunks that carry more than that beside them.
    @Test func theFramingOfChunksHasLimits() {
        func excess(_ bytes: Int, _ factor: Double, raw: Int, body: Int) -> ConnectionWatch.Ending? {
            var limits = ConnectionLimits()
            limits.chunkOverheadBytes = bytes
            limits.chunkOverheadFactor = factor
            var watch = ConnectionWatch(limits, now: .now())
            watch.headRead()
            watch.received(raw, .now())
            watch.bodyRead(body)
            return watch.excess
        }
        #expect(excess(100, 2, raw: 104, body: 2) == nil)
        #expect(excess(100, 2, raw: 105, body: 2) == .chunkOverhead)
        #expect(excess(100, 3, raw: 105, body: 2) == nil)
        #expect(excess(101, 2, raw: 105, body: 2) == nil)
    }

    /// Of 5000 bytes in the ten seconds of the grace.
    @Test(arguments: [(500, nil), (501, .slowUpload)] as [(Int, ConnectionWatch.Ending?)])
    func aBodyHasItsRateOverTheGrace(_ rate: Int, _ ending: ConnectionWatch.Ending?) {
        var limits = GatewayLimits()
        limits.connections.minUploadRate = rate
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        let end = start + .seconds(10)
        var watch = ConnectionWatch(limits.connections, now: start)
        watch.headRead()
        watch.reading(start)
        watch.received(5000, end)
        watch.bodyRead(5000)
        #expect(watch.overdue(end) == ending)
    }

    @Test func anUploadOfPicturesHasItsTime() {
        var limits = GatewayLimits()
        limits.pictures.uploadTime = .seconds(5)
        let pictures = limits.pictures
        #expect(throws: Never.self) { try pictures.checkUploadTime(since: .now) }
        let late = #expect(throws: Problem.self) {
            try pictures.checkUploadTime(since: ContinuousClock.now - .seconds(6))
        }
        #expect(late?.status.code == 408 && late?.limit?.name == "upload-time" && late?.limit?.value == 5)
    }

    /// A sender that sends on is read until `linger-timeout`; whoever goes on for longer is cut off.
    @Test func whoSendsOnAfterARefusalIsReadForAWhile() async throws {
        try await TestGateway.with {
            $0.limits.connections.lingerTimeout = .milliseconds(300)
        } _: { gateway in
            let peer = try await RawPeer.connect(to: gateway.address)
            await peer.send(
                "POST /v1/images:analyze?nonsense=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
            try await peer.until("there is no parameter")
            // It is read, and thrown away, until the connection ends.
            let end = ContinuousClock.now + .seconds(60)
            while peer.isOpen, ContinuousClock.now < end {
                await peer.send("x")
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(!peer.isOpen)
            #expect(peer.text.hasPrefix("HTTP/1.1 400") && peer.text.lowercased().contains("connection: close"))
        }
    }

    @Test func callersThatWereNotHeardOfForLongAreForgotten() {
        var limits = RateLimits()
        limits.burst = 1
        limits.requestsPerSecond = 1
        limits.maxCallers = 16
        let rates = CallerRates(limits)
        let start = ContinuousClock.now
        func wait(_ caller: Int) -> Duration? {
            let principal = Principal(name: "\(caller)", scopes: [])
            return rates.wait(of: Caller(principal: principal, address: nil), now: start + .milliseconds(caller))
        }
        #expect(wait(0) == nil && wait(0) != nil)
        for caller in 1..<16 { #expect(wait(caller) == nil) }
        #expect(wait(0) != nil, "sixteen are remembered")
        for caller in 16..<32 { #expect(wait(caller) == nil) }
        #expect(wait(0) == nil, "and not thirty-two")
    }

    @Test func whatIsKnownOfTheMeshMayBeSoOld() async throws {
        let mesh = try await BundledMesh.ofPictures
        try await TestGateway.with(mesh: mesh) {
            try GatewayLimits.limits.set("mesh-age=1h", in: &$0.limits)
        } _: { gateway in
            // Whatever comes later is not asked for.
            let first = try await gateway.get("/v1/nodes").text
            for _ in 0..<5 {
                _ = try await gateway.post(Self.analyze, try Place.demo("numbers-01.jpg"), type: "image/jpeg")
                #expect(try await gateway.get("/v1/nodes").text == first)
            }
        }
    }
}

extension LimitTests.Row {
    fileprivate func with(status: Int) -> LimitTests.Row {
        var row = self
        row.status = status
        return row
    }
}
