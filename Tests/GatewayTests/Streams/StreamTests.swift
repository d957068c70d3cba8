import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import NIOHTTP1
import RPC
import Synchronization
import TestSupport
import Testing
import Vision

@testable import Gateway

/// Live streams through a gateway and a real mesh.
@Suite struct StreamTests {
    private static var everywhere: [String: Any] {
        ["normalized": true, "zones": [["name": "all", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]]]]
    }

    private static func with<Value: Sendable>(
        configure: (inout GatewayConfiguration) throws -> Void = { _ in },
        _ body: (TestGateway) async throws -> Value
    ) async throws -> Value {
        try await TestGateway.with(mesh: .shared) { configuration in
            configuration.cameraFolder = Place.resources.appending(path: "demo").path
            try configure(&configuration)
        } _: {
            try await body($0)
        }
    }

    private static func create(_ gateway: TestGateway, _ fields: [String: Any]) async throws
        -> TestGateway.Answer
    {
        try await gateway.post(
            "/v1/streams", try JSONSerialization.data(withJSONObject: fields), type: "application/json")
    }

    /// - Returns: its path.
    private static func begin(_ gateway: TestGateway, _ fields: [String: Any]) async throws -> String {
        let answer = try await create(gateway, fields)
        try #require(answer.status == 201, "\(answer.text)")
        let id = try #require(try answer.json()["id"] as? String)
        #expect(answer.headers["location"] == "/v1/streams/\(id)")
        return "/v1/streams/\(id)"
    }

    private static var pushed: [String: Any] {
        [
            "name": "camera", "source": ["push": true], "pipeline": "detect", "policy": "lossless",
        ]
    }

    private static func push(_ gateway: TestGateway, _ path: String, wait: Bool = true) async throws
        -> TestGateway.Answer
    {
        try await gateway.post(
            path + "/frames" + (wait ? "?wait=true" : ""), try Place.demo("numbers-01.jpg"),
            type: "image/jpeg")
    }

    @Test func aFileIsACameraAndItsZonesTellWhoComesAndGoes() async throws {
        try await Self.with { gateway in
            let path = try await Self.begin(
                gateway,
                [
                    "source": ["file": "digits.mp4"], "pipeline": "track", "policy": "lossless",
                    "areas": Self.everywhere,
                ])
            var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            let frame = try await events.first { $0.name == "frame" }.json()
            #expect(frame["status"] as? String == "ok")
            #expect(frame["width"] as? Int == 640)
            #expect(frame["age_ms"] as? Double ?? -1 > 0)
            let enter = try await events.first {
                try $0.name == "area" && $0.json()["type"] as? String == "enter"
            }
            .json()
            #expect(enter["area"] as? String == "all")
            #expect(enter["track_id"] is Int)
            let count = try await events.first {
                try $0.name == "area" && $0.json()["type"] as? String == "count"
            }
            .json()
            #expect(count["count"] as? Int ?? 0 > 0)
            let shown = try await gateway.get(path).json()
            #expect(shown["state"] as? String == "live")
            #expect((shown["source"] as? [String: Any])?["file"] as? String == "digits.mp4")
            #expect(try await gateway.send("DELETE", path).status == 204)
            _ = try await events.first { $0.name == "end" }
            #expect(try await events.next() == nil)
            #expect(try await gateway.get(path).status == 404)
        }
    }

    @Test func framesThatAreNotLoopedEnd() async throws {
        try await Self.with { gateway in
            let path = try await Self.begin(
                gateway,
                [
                    "source": ["file": "digits.mp4", "loop": false], "pipeline": "detect",
                    "policy": "lossless",
                    "max_fps": 2,
                ])
            var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            var frames = 0
            while let event = try await events.next() { frames += event.name == "frame" ? 1 : 0 }
            // Ten seconds.
            #expect(frames == 20)
            let shown = try await gateway.get(path).json()
            #expect(shown["state"] as? String == "ended")
            #expect(shown["answered"] as? Int == frames)
        }
    }

    @Test func aPushedFrameIsAnswered() async throws {
        try await Self.with { gateway in
            let path = try await Self.begin(gateway, Self.pushed)
            let answer = try await Self.push(gateway, path)
            #expect(answer.status == 200)
            let frame = try answer.json()
            #expect((frame["detections"] as? [Any])?.isEmpty == false)
            #expect(frame["sequence"] as? Int == 0)
            #expect(try await Self.push(gateway, path, wait: false).status == 202)
            #expect(try await Self.push(gateway, path).json()["sequence"] as? Int == 2)
            let list = try await gateway.get("/v1/streams").json()["streams"] as? [[String: Any]]
            #expect(list?.count == 1)
            #expect(list?.first?["answered"] as? Int == 3)
        }
    }

    @Test func whatIsNoPictureIsRefused() async throws {
        try await Self.with { gateway in
            let path = try await Self.begin(gateway, Self.pushed)
            let noise = try await gateway.post(
                path + "/frames?wait=true", Data("no picture".utf8), type: "image/jpeg")
            #expect((400..<500).contains(noise.status), "\(noise.text)")
            #expect(noise.headers["content-type"] == "application/problem+json")
            let text = try await gateway.post(path + "/frames", Data("x".utf8), type: "text/plain")
            #expect(text.status == 415)
            #expect(try await gateway.post(path + "/frames", Data(), type: "image/jpeg").status == 400)
            // The stream goes on.
            #expect(try await Self.push(gateway, path).status == 200)
        }
    }

    @Test func pushedFramesHaveTheMemoryOfPictures() async throws {
        try await Self.with {
            $0.limits.pictures.maxUploadMemory = 10
        } _: { gateway in
            let path = try await Self.begin(gateway, Self.pushed)
            let large = try await gateway.post(path + "/frames", Data(repeating: 1, count: 11), type: "image/jpeg")
            #expect(large.status == 429)
            #expect(try large.json()["limit_name"] as? String == "max-upload-memory")
        }
        let bytes = try Place.demo("numbers-01.jpg").count
        try await Self.with {
            $0.limits.pictures.maxUploadMemory = 2 * bytes
        } _: { gateway in
            let path = try await Self.begin(gateway, Self.pushed)
            // What was answered has given back what it had; the last one may still be about to.
            for _ in 0..<4 { #expect(try await Self.push(gateway, path).status == 200) }
        }
    }

    @Test func areasMayBePutLater() async throws {
        try await Self.with { gateway in
            let path = try await Self.begin(gateway, Self.pushed)
            var events = try await EventReader(gateway.base + path + "/events")
            let put = try await gateway.send(
                "PUT", path + "/areas", headers: ["Content-Type": "application/json"],
                body: try JSONSerialization.data(withJSONObject: Self.everywhere))
            #expect(put.status == 200, "\(put.text)")
            #expect(((try put.json()["areas"] as? [String: Any])?["zones"] as? [Any])?.count == 1)
            let found = try await Self.push(gateway, path).json()["detections"] as? [Any]
            let count = try await events.first { $0.name == "area" }.json()
            #expect(count["type"] as? String == "count")
            #expect(count["count"] as? Int == found?.count)

            let wrong = try await gateway.send(
                "PUT", path + "/areas", body: Data(#"{"zones":[{"name":"a"}]}"#.utf8))
            #expect(wrong.status == 400)
            #expect(try wrong.json()["field"] as? String == "zones[0].points")
        }
    }

    @Test func movingPicturesAreParts() async throws {
        try await Self.with { gateway in
            let path = try await Self.begin(gateway, Self.pushed)
            let response = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: gateway.base + path + "/mjpeg"), timeout: .seconds(300))
            #expect(
                response.headers.first(name: "content-type")
                    == "multipart/x-mixed-replace; boundary=framemesh")
            // It looks on already, so one frame is enough.
            #expect(try await Self.push(gateway, path).status == 200)
            var bytes = ByteBuffer()
            var picture: ByteBuffer?
            for try await part in response.body {
                bytes.writeImmutableBuffer(part)
                picture = try Self.firstPart(bytes)
                if picture != nil { break }
            }
            let image = try Image(decoding: Frame(payload: .inline(try #require(picture))))
            let original = try Image(
                decoding: Frame(payload: .inline(ByteBuffer(bytes: try Place.demo("numbers-01.jpg")))))
            #expect(image.width == original.width && image.height == original.height)
            // Something is drawn on it.
            #expect(try image.jpeg() != original.jpeg())
        }
    }

    /// The body of the first part, once it is whole with the boundary after it.
    private static func firstPart(_ bytes: ByteBuffer) throws -> ByteBuffer? {
        let data = Data(bytes.readableBytesView)
        guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: data[..<end.lowerBound], as: UTF8.self)
        let start = "--framemesh\r\nContent-Type: image/jpeg\r\nContent-Length: "
        try #require(head.hasPrefix(start), "\(head)")
        let count = try #require(Int(head.dropFirst(start.count)))
        let after = Data("\r\n--framemesh\r\n".utf8)
        guard data.count >= end.upperBound + count + after.count else { return nil }
        #expect(data[(end.upperBound + count)...].starts(with: after))
        return ByteBuffer(bytes: data[end.upperBound..<(end.upperBound + count)])
    }

    @Test func whatNobodyPushesToEnds() async throws {
        try await Self.with {
            $0.limits.streams.pushIdle = .milliseconds(50)
        } _: { gateway in
            let path = try await Self.begin(gateway, Self.pushed)
            var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            let state = try await events.first { $0.name == "state" }.json()
            #expect(state["state"] as? String == "ended")
            _ = try await events.first { $0.name == "end" }
            #expect(try await gateway.get(path).json()["state"] as? String == "ended")
            #expect(try await Self.push(gateway, path).status == 409)
        }
    }

    @Test func webhooksTellOfAreas() async throws {
        let (told, tell) = AsyncStream<String>.makeStream()
        try await LittleServer.with { router in
            router.post("hook") { request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                tell.yield(String(decoding: body.readableBytesView, as: UTF8.self))
                return Response(status: .ok)
            }
        } _: { receiver in
            try await Self.with {
                $0.webhookAllow = try OutboundRule(allow: ["127.0.0.0/8"])
            } _: { gateway in
                var fields = Self.pushed
                fields["areas"] = Self.everywhere
                fields["webhooks"] = [["url": receiver.base + "/hook", "events": ["count"]]]
                let path = try await Self.begin(gateway, fields)
                #expect(try await Self.push(gateway, path).status == 200)
                var bodies = told.makeAsyncIterator()
                let body = try #require(await bodies.next())
                let json = try #require(
                    try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
                #expect(json["type"] as? String == "area")
                #expect(json["name"] as? String == "camera")
                #expect("/v1/streams/\(json["stream"] as? String ?? "")" == path)
                #expect((json["event"] as? [String: Any])?["area"] as? String == "all")
            }
        }
    }

    // MARK: What is refused

    @Test func whatIsNotAllowedIsRefusedWithItsField() async throws {
        try await Self.with { gateway in
            func refused(_ change: [String: Any]) async throws -> (Int, String?) {
                let answer = try await Self.create(gateway, Self.pushed.merging(change) { $1 })
                return (answer.status, try answer.json()["field"] as? String)
            }
            #expect(try await refused(["source": ["url": "rtsp://127.0.0.1/"]]) == (403, "source.url"))
            #expect(
                try await refused(["webhooks": [["url": "http://127.0.0.1/"]]]) == (403, "webhooks[0].url"))
            for name in ["../README.md", "/etc/passwd", "", ".", "..", "nothing.mp4", "a\u{0}b"] {
                #expect(try await refused(["source": ["file": name]]) == (400, "source.file"), "\(name)")
            }
            #expect(try await refused(["source": [String: Any]()]) == (400, "source"))
            #expect(
                try await refused(["source": ["push": true, "file": "digits.mp4"]]) == (400, "source"))
            #expect(try await refused(["pipeline": "nothing"]) == (400, "pipeline"))
            #expect(try await refused(["policy": "best"]) == (400, "policy"))
            #expect(try await refused(["min_confidence": 2]) == (400, "min_confidence"))
            #expect(try await refused(["max_fps": 0]) == (400, "max_fps"))
            #expect(try await refused(["name": String(repeating: "a", count: 101)]) == (400, "name"))
            #expect(
                try await refused(["areas": ["lines": [["name": "a"]]]]) == (400, "areas.lines[0].from"))
            #expect(
                try await refused(["areas": ["lines": [["name": "a", "from": [0, 0], "to": [0, 0]]]]])
                    == (400, "areas.lines[0].to"))
            let noJSON = try await gateway.post("/v1/streams", Data("{".utf8), type: "application/json")
            #expect(noJSON.status == 400)
        }
    }

    @Test func streamsAndViewersAreLimits() async throws {
        try await Self.with {
            $0.limits.streams.streams = 2
            $0.limits.events.viewers = 1
        } _: { gateway in
            let path = try await Self.begin(gateway, Self.pushed)
            _ = try await Self.begin(gateway, Self.pushed)
            let third = try await Self.create(gateway, Self.pushed)
            #expect(third.status == 429)
            #expect(third.headers["retry-after"] != nil)
            #expect(try third.json()["limit_name"] as? String == "streams")

            let viewer = try await EventReader(gateway.base + path + "/events")
            #expect(viewer.status == 200)
            let second = try await gateway.get(path + "/mjpeg")
            #expect(second.status == 503)
            #expect(try second.json()["limit_name"] as? String == "viewers")
            withExtendedLifetime(viewer) {}
            #expect(try await gateway.send("DELETE", path).status == 204)
            #expect(try await Self.create(gateway, Self.pushed).status == 201)
        }
    }

    // MARK: Sources with a URL

    @Test func aSourceThatRedirectsLeadsNowhere() async throws {
        let visits = Mutex(0)
        try await LittleServer.with { router in
            router.get("elsewhere") { _, _ in
                visits.withLock { $0 += 1 }
                return Response(status: .ok)
            }
        } _: { elsewhere in
            try await LittleServer.with { router in
                router.get("camera") { _, _ in
                    Response(status: .found, headers: [.location: elsewhere.base + "/elsewhere"])
                }
            } _: { camera in
                try await Self.with {
                    $0.streamAllow = try OutboundRule(allow: ["127.0.0.0/8"])
                    $0.limits.streams.attempts = 1
                } _: { gateway in
                    let path = try await Self.begin(
                        gateway, ["source": ["url": camera.base + "/camera"], "pipeline": "detect"])
                    var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
                    let failed = try await events.first {
                        try $0.name == "state" && $0.json()["state"] as? String == "failed"
                    }
                    #expect(try failed.json()["cause"] as? String != nil)
                }
            }
        }
        #expect(visits.withLock { $0 } == 0)
    }

    @Test func aSourceIsCalledAgainUntilItAnswers() async throws {
        // Nobody is there for the first two calls.
        let port = try await LittleServer.with { _ in
        } _: {
            $0.address.port!
        }
        try await Self.with {
            $0.streamAllow = try OutboundRule(allow: ["127.0.0.0/8"])
            $0.limits.streams.attempts = 1000
            $0.limits.streams.reconnect = .init(
                initial: .milliseconds(50), factor: 1, longest: .milliseconds(50), jitter: 0)
        } _: { gateway in
            let path = try await Self.begin(
                gateway,
                [
                    "source": ["url": "http://127.0.0.1:\(port)/live"], "pipeline": "detect",
                    "policy": "lossless",
                ])
            var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            let trouble = try await events.first { $0.name == "state" }.json()
            #expect(trouble["state"] as? String == "connecting")
            #expect(trouble["cause"] as? String != nil)
            let camera = Process()
            camera.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            camera.arguments =
                [
                    "ffmpeg", "-nostdin", "-v", "error", "-re", "-i",
                    "\(Place.resources.path)/demo/digits.mp4",
                ]
                + "-c copy -f mpegts -listen 1 http://127.0.0.1:\(port)/live".split(separator: " ").map(
                    String.init)
            camera.standardOutput = FileHandle.nullDevice
            camera.standardError = FileHandle.nullDevice
            try camera.run()
            defer { kill(camera.processIdentifier, SIGKILL) }
            _ = try await events.first {
                try $0.name == "state" && $0.json()["state"] as? String == "live"
            }
            let frame = try await events.first { $0.name == "frame" }.json()
            #expect(frame["width"] as? Int == 640)
        }
    }
}
