import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import Messages
import NIOCore
import NIOHTTP1
import Outbound
import RPC
import Synchronization
import TestSupport
import Testing
import Vision

@testable import Gateway

/// Live streams through a gateway and a real mesh.
@Suite(.timeLimit(.minutes(5))) struct StreamTests {
    @Test func aFileIsACameraAndItsZonesTellWhoComesAndGoes() async throws {
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(
                gateway,
                [
                    "source": ["file": "digits.mp4"], "pipeline": "track", "policy": "lossless",
                    "areas": TestStream.everywhere,
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
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(
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
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            let answer = try await TestStream.push(gateway, path)
            #expect(answer.status == 200)
            let frame = try answer.json()
            #expect((frame["detections"] as? [Any])?.isEmpty == false)
            #expect(frame["sequence"] as? Int == 0)
            let taken = try await TestStream.push(gateway, path, wait: false)
            #expect(taken.status == 202)
            #expect(try taken.json()["sequence"] as? Int == 1)
            #expect("/v1/streams/\(try taken.json()["stream"] as? String ?? "")" == path)
            #expect(try await TestStream.push(gateway, path).json()["sequence"] as? Int == 2)
            let list = try await gateway.get("/v1/streams").json()["streams"] as? [[String: Any]]
            #expect(list?.count == 1)
            #expect(list?.first?["answered"] as? Int == 3)
        }
    }

    @Test func areasMayBePutLater() async throws {
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            var events = try await EventReader(gateway.base + path + "/events")
            let put = try await gateway.send(
                "PUT", path + "/areas", headers: ["Content-Type": "application/json"],
                body: try JSONSerialization.data(withJSONObject: TestStream.everywhere))
            #expect(put.status == 200, "\(put.text)")
            #expect((try put.json()["zones"] as? [Any])?.count == 1)
            #expect(try await gateway.get(path + "/areas").text == put.text)
            let found = try await TestStream.push(gateway, path).json()["detections"] as? [Any]
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
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            let response = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: gateway.base + path + "/mjpeg"), timeout: .seconds(300))
            #expect(
                response.headers.first(name: "content-type")
                    == "multipart/x-mixed-replace; boundary=framemesh")
            // It looks on already, so one frame is enough.
            #expect(try await TestStream.push(gateway, path).status == 200)
            let picture = try await Self.firstPart(of: response.body)
            let image = try Image(decoding: Frame(payload: .inline(picture)))
            let original = try Image(
                decoding: Frame(payload: .inline(ByteBuffer(bytes: try Place.demo("numbers-01.jpg")))))
            #expect(image.width == original.width && image.height == original.height)
            // Something is drawn on it.
            #expect(try image.jpeg() != original.jpeg())
        }
    }

    @Test func movingPicturesSayTheShapeOfPixelsThatAreNotSquare() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cameras-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await TestVideo.wide(in: folder).write(to: folder.appending(path: "camera.mp4"))
        try await TestStream.with {
            $0.cameraFolder = folder.path
        } _: { gateway in
            let path = try await TestStream.begin(
                gateway, ["source": ["file": "camera.mp4"], "pipeline": "detect"])
            let response = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: gateway.base + path + "/mjpeg"), timeout: .seconds(300))
            var bytes = ByteBuffer()
            for try await part in response.body {
                bytes.writeImmutableBuffer(part)
                if Data(bytes.readableBytesView).range(of: Data("\r\n\r\n".utf8)) != nil { break }
            }
            let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
            #expect(text.contains("X-Pixel-Aspect: 1.3333333333333333"), "\(text.prefix(300))")
        }
    }

    @Test func movingPicturesAreAsGoodAsTheirQuality() async throws {
        func bytes(quality: Int) async throws -> Int {
            try await TestStream.with {
                $0.limits.streams.pictureQuality = quality
            } _: { gateway in
                let path = try await TestStream.begin(gateway, TestStream.pushed)
                let response = try await HTTPClient.shared.execute(
                    HTTPClientRequest(url: gateway.base + path + "/mjpeg"), timeout: .seconds(300))
                #expect(try await TestStream.push(gateway, path).status == 200)
                return try await Self.firstPart(of: response.body).readableBytes
            }
        }
        let (poor, good) = (try await bytes(quality: 1), try await bytes(quality: 100))
        #expect(poor * 4 < good)
    }

    private static func firstPart(of body: HTTPClientResponse.Body) async throws -> ByteBuffer {
        var bytes = ByteBuffer()
        for try await part in body {
            bytes.writeImmutableBuffer(part)
            if let picture = try firstPart(bytes) { return picture }
        }
        throw Failure("the pictures ended")
    }

    /// The body of the first part, once it is whole with the boundary after it.
    private static func firstPart(_ bytes: ByteBuffer) throws -> ByteBuffer? {
        let data = Data(bytes.readableBytesView)
        guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: data[..<end.lowerBound], as: UTF8.self)
        let lines = head.split(separator: "\r\n")
        #expect(lines.prefix(2) == ["--framemesh", "Content-Type: image/jpeg"])
        #expect(lines.contains("X-Frame-Sequence: 0"))
        #expect(lines.contains { $0.hasPrefix("X-Frame-Age-Ms: ") })
        let length = lines.first { $0.hasPrefix("Content-Length: ") }
        let count = try #require(length.flatMap { Int($0.dropFirst("Content-Length: ".count)) }, "\(head)")
        let after = Data("\r\n--framemesh\r\n".utf8)
        guard data.count >= end.upperBound + count + after.count else { return nil }
        #expect(data[(end.upperBound + count)...].starts(with: after))
        return ByteBuffer(bytes: data[end.upperBound..<(end.upperBound + count)])
    }

    @Test func whatNobodyPushesToEnds() async throws {
        try await TestStream.with {
            $0.limits.streams.pushIdle = .milliseconds(50)
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            let state = try await events.first { $0.name == "state" }.json()
            #expect(state["state"] as? String == "ended")
            _ = try await events.first { $0.name == "end" }
            #expect(try await gateway.get(path).json()["state"] as? String == "ended")
            #expect(try await TestStream.push(gateway, path).status == 409)
        }
    }

    @Test func whatHasEndedIsShownForAWhile() async throws {
        try await TestStream.with {
            $0.limits.streams.pushIdle = .milliseconds(50)
            $0.limits.streams.remembered = .milliseconds(1)
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            while try await gateway.get(path).status != 404 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func aStreamWithoutFramesIsStalledUntilOneComes() async throws {
        try await TestStream.with {
            $0.limits.streams.stall = .milliseconds(50)
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            var events = try await EventReader(gateway.base + path + "/events")
            for _ in 0..<2 {
                #expect(try await TestStream.push(gateway, path).status == 200)
                for state in ["live", "stalled"] {
                    _ = try await events.first { try $0.name == "state" && $0.json()["state"] as? String == state }
                }
            }
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
            try await TestStream.with {
                $0.webhookAllow = try OutboundRule(allow: ["127.0.0.0/8"])
            } _: { gateway in
                var fields = TestStream.pushed
                fields["areas"] = TestStream.everywhere
                fields["webhooks"] = [["url": receiver.base + "/hook", "events": ["count"]]]
                let path = try await TestStream.begin(gateway, fields)
                #expect(try await TestStream.push(gateway, path).status == 200)
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

    /// Which of them comes first is nobody's to say, but none overtakes one with a lower number.
    @Test func framesThatArePushedAtOnceAreNumberedAsTheyAreTaken() async throws {
        try await TestStream.with { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            let numbers = try await withThrowingTaskGroup(of: Int.self) { pushes in
                for _ in 0..<16 {
                    pushes.addTask {
                        let answer = try await TestStream.push(gateway, path, wait: false)
                        return try answer.json()["sequence"] as? Int ?? -1
                    }
                }
                var numbers: [Int] = []
                for try await number in pushes { numbers.append(number) }
                return numbers
            }
            #expect(numbers.sorted() == Array(0..<16))
            var seen: [Int] = []
            while seen.count < 16 {
                let frame = try await events.first { $0.name == "frame" }.json()
                seen.append(frame["sequence"] as? Int ?? -1)
            }
            #expect(seen == Array(0..<16))
        }
    }
}
