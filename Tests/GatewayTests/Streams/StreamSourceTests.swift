import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Outbound
import Playback
import RPC
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Live streams whose source is called by its URL.
@Suite(.timeLimit(.minutes(5))) struct StreamSourceTests {
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
                try await TestStream.with {
                    $0.streamAllow = try OutboundRule(allow: ["127.0.0.0/8"])
                    $0.limits.streams.sources.attempts = 1
                } _: { gateway in
                    let path = try await TestStream.begin(
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
        try await TestStream.with {
            $0.streamAllow = try OutboundRule(allow: ["127.0.0.0/8"])
            $0.limits.streams.sources.attempts = 1000
            $0.limits.streams.sources.reconnect = .init(
                initial: .milliseconds(50), factor: 1, longest: .milliseconds(50), jitter: 0)
        } _: { gateway in
            let path = try await TestStream.begin(
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

    @Test func aSourceThatIsNoneIsCalledSoOften() async throws {
        let visits = Mutex(0)
        try await LittleServer.with { router in
            router.get("camera") { _, _ in
                visits.withLock { $0 += 1 }
                return Response(status: .notFound)
            }
        } _: { camera in
            try await TestStream.with {
                $0.streamAllow = try OutboundRule(allow: ["127.0.0.0/8"])
                $0.limits.streams.sources.attempts = 3
                $0.limits.streams.sources.reconnect = .init(
                    initial: .milliseconds(1), factor: 1, longest: .milliseconds(1), jitter: 0)
            } _: { gateway in
                let path = try await TestStream.begin(
                    gateway, ["source": ["url": camera.base + "/camera"], "pipeline": "detect"])
                var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
                _ = try await events.first { try $0.name == "state" && $0.json()["state"] as? String == "failed" }
            }
        }
        #expect(visits.withLock { $0 } == 3)
    }

    @Test func anAddressAtWhichNobodyAnswersIsNoReasonToGiveUp() async throws {
        let picture = ByteBuffer(bytes: try Place.demo("numbers-01.jpg"))
        try await LittleServer.with { router in
            router.get("camera") { _, _ in
                let type = "multipart/x-mixed-replace; boundary=\(PicturePart.boundary)"
                return Response(
                    status: .ok, headers: [.contentType: type],
                    body: ResponseBody { writer in
                        try await writer.write(PicturePart.start)
                        // Until the gateway has seen enough and goes.
                        while true {
                            try await writer.write(PicturePart.bytes(jpeg: picture, sequence: 0, age: .zero))
                            try await Task.sleep(for: .milliseconds(20))
                        }
                    })
            }
        } _: { camera in
            // The server listens at the second one alone.
            try await LittleNameServer.with([[127, 0, 0, 2], [127, 0, 0, 1]]) { dns in
                try await TestStream.with {
                    $0.streamAllow = try OutboundRule(allow: ["cam.example", "127.0.0.0/8"], dns: dns)
                    $0.limits.streams.sources.attempts = 1
                } _: { gateway in
                    let url = "http://cam.example:\(camera.address.port!)/camera"
                    let path = try await TestStream.begin(gateway, ["source": ["url": url], "pipeline": "detect"])
                    var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
                    // A mesh that others keep busy may refuse some.
                    _ = try await events.first { event in
                        try event.name == "frame" && event.json()["status"] as? String == "ok"
                    }
                    #expect(try await gateway.send("DELETE", path).status == 204)
                }
            }
        }
    }
}
