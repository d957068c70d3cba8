import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What a live stream does not take.
@Suite(.timeLimit(.minutes(5))) struct StreamRefusalTests {
    @Test func whatIsNoPictureIsRefused() async throws {
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            let noise = try await gateway.post(
                path + "/frames?wait=true", Data("no picture".utf8), type: "image/jpeg")
            #expect((400..<500).contains(noise.status), "\(noise.text)")
            #expect(noise.headers["content-type"] == "application/problem+json")
            let text = try await gateway.post(path + "/frames", Data("x".utf8), type: "text/plain")
            #expect(text.status == 415)
            // One frame is a body; forms are for pictures.
            #expect(!text.text.contains("multipart") && text.text.contains("image/jpeg"), "\(text.text)")
            let form = try await gateway.post(path + "/frames", Data("x".utf8), type: "multipart/form-data")
            #expect(form.status == 415 && form.text.contains("not a form"), "\(form.text)")
            let unnamed = try await gateway.post(
                path + "/frames", Data("x".utf8), type: "application/x-www-form-urlencoded")
            #expect(unnamed.status == 415 && unnamed.text.contains("the body is no picture"), "\(unnamed.text)")
            #expect(try await gateway.post(path + "/frames", Data(), type: "image/jpeg").status == 400)
            // The stream goes on.
            #expect(try await TestStream.push(gateway, path).status == 200)
        }
    }

    @Test func pushedFramesHaveTheMemoryOfPictures() async throws {
        try await TestStream.with {
            $0.limits.pictures.maxUploadMemory = 10
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            let large = try await gateway.post(path + "/frames", Data(repeating: 1, count: 11), type: "image/jpeg")
            #expect(large.status == 429)
            #expect(try large.json()["limit_name"] as? String == "max-upload-memory")
        }
        let bytes = try Place.demo("numbers-01.jpg").count
        try await TestStream.with {
            $0.limits.pictures.maxUploadMemory = 2 * bytes
            $0.limits.rate.share = 1
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            // What was answered has given back what it had; the last one may still be about to.
            for _ in 0..<4 { #expect(try await TestStream.push(gateway, path).status == 200) }
        }
    }

    @Test func whatIsNotAllowedIsRefusedWithItsField() async throws {
        try await TestStream.with { gateway in
            func refused(_ change: [String: Any]) async throws -> (Int, String?) {
                let answer = try await TestStream.create(gateway, TestStream.pushed.merging(change) { $1 })
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
            // What would do nothing.
            #expect(try await refused(["max_fps": 5]) == (400, "max_fps"))
            #expect(try await refused(["deadline_ms": 100]) == (400, "deadline_ms"))
            #expect(try await refused(["deadline_ms": 100, "policy": "latest"]) == (400, "deadline_ms"))
            #expect(try await refused(["source": ["push": true, "loop": false]]) == (400, "source.loop"))
            #expect(try await refused(["name": String(repeating: "a", count: 101)]) == (400, "name"))
            let hooks = Array(repeating: ["url": "http://127.0.0.1/"], count: 9)
            let many = try await TestStream.create(gateway, TestStream.pushed.merging(["webhooks": hooks]) { $1 })
            #expect(many.status == 400)
            #expect(try many.json()["field"] as? String == "webhooks")
            #expect(try many.json()["limit_name"] as? String == "webhooks")
            #expect(
                try await refused(["areas": ["lines": [["name": "a"]]]]) == (400, "areas.lines[0].from"))
            #expect(
                try await refused(["areas": ["lines": [["name": "a", "from": [0, 0], "to": [0, 0]]]]])
                    == (400, "areas.lines[0].to"))
            let twice = try await gateway.post(
                "/v1/streams", Data(#"{"source":{"push":true},"areas":{"zones":[],"zones":[]}}"#.utf8),
                type: "application/json")
            #expect(twice.status == 400)
            #expect(try twice.json()["detail"] as? String == "'areas.zones' is there twice")
            let noJSON = try await gateway.post("/v1/streams", Data("{".utf8), type: "application/json")
            #expect(noJSON.status == 400)
        }
    }

    @Test func streamsAndViewersAreLimits() async throws {
        try await TestStream.with {
            $0.limits.streams.streams = 2
            $0.limits.events.viewers = 1
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            _ = try await TestStream.begin(gateway, TestStream.pushed)
            let third = try await TestStream.create(gateway, TestStream.pushed)
            #expect(third.status == 429)
            #expect(third.headers["retry-after"] != nil)
            #expect(try third.json()["limit_name"] as? String == "streams")

            let viewer = try await EventReader(gateway.base + path + "/events")
            #expect(viewer.status == 200)
            let second = try await gateway.get(path + "/mjpeg")
            #expect(second.status == 429)
            #expect(try second.json()["limit_name"] as? String == "viewers")
            withExtendedLifetime(viewer) {}
            #expect(try await gateway.send("DELETE", path).status == 204)
            #expect(try await TestStream.create(gateway, TestStream.pushed).status == 201)
        }
    }

    @Test func aPlaceIsFreeWhenItsViewerHasGoneThoughNothingHappens() async throws {
        try await TestStream.with {
            $0.limits.events.viewers = 1
            $0.limits.events.keepAlive = .seconds(3600)
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            let first = try await RawPeer.connect(to: gateway.address)
            await first.send("GET \(path)/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await first.until(": keep-alive")
            #expect(try await gateway.get(path + "/mjpeg").status == 429)
            first.finish()
            _ = try await first.untilClosed()
            // The answer's task ends a moment after its connection.
            var status = 429
            let end = ContinuousClock.now + .seconds(60)
            while status == 429, ContinuousClock.now < end {
                status = try await EventReader(gateway.base + path + "/events").status
            }
            #expect(status == 200)
        }
    }
}
