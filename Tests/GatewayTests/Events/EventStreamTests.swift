import AsyncHTTPClient
import Hummingbird
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import Gateway

/// Answers that go on, over real connections.
@Suite(.timeLimit(.minutes(5))) struct EventStreamTests {
    /// A source that has nothing to tell, ever; `gone` ends with the last who holds it.
    private static func silence(gone: AsyncStream<Never>.Continuation) -> Viewer {
        Viewer(.each(events: 1, bytes: 1), missed: [], place: nil) { gone.finish() }
    }

    private enum Going: CaseIterable { case closes, sendsNoMore }

    @Test(arguments: [false, true], Going.allCases)
    private func aViewerThatGoesIsNoticedThoughNothingIsWritten(arePictures: Bool, how: Going) async throws {
        let (ends, gone) = AsyncStream<Never>.makeStream()
        try await LittleServer.with { router in
            router.get("events") { _, context in
                arePictures
                    ? EventStream.pictures(Self.silence(gone: gone), on: context.channel)
                    : EventStream.response(Self.silence(gone: gone), keepAlive: .seconds(3600), on: context.channel)
            }
        } _: { server in
            let peer = try await RawPeer.connect(to: server.address)
            await peer.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            try await peer.until(arePictures ? "--framemesh" : ": keep-alive")
            switch how {
            case .closes: peer.close()
            case .sendsNoMore: peer.finish()
            }
            for await _ in ends {}
            _ = try await peer.untilClosed()
        }
    }

    @Test func aConnectionGoesOnAfterEventsThatEnded() async throws {
        let (ends, gone) = AsyncStream<Never>.makeStream()
        try await LittleServer.with { router in
            router.get("events") { _, context in
                let viewer = Self.silence(gone: gone)
                viewer.finish()
                return EventStream.response(viewer, keepAlive: .seconds(3600), on: context.channel)
            }
            router.get("more") { _, _ in "all the rest" }
        } _: { server in
            let peer = try await RawPeer.connect(to: server.address)
            await peer.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            // The last chunk.
            try await peer.until("\r\n0\r\n\r\n")
            // Who listened is let go of, though the connection is there.
            for await _ in ends {}
            await peer.send("GET /more HTTP/1.1\r\nHost: a\r\n\r\n")
            try await peer.until("all the rest")
            peer.close()
        }
    }

    @Test func aStreamOfNoEventsIsKeptAlive() async throws {
        let broadcast = Broadcast.events(EventLimits(), Places(1, "viewers", of: "viewers", share: 1))
        try await LittleServer.with { router in
            router.get("events") { _, context in
                EventStream.response(
                    try broadcast.watch(for: context.caller.key), keepAlive: .milliseconds(1), on: context.channel)
            }
        } _: { server in
            let response = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: server.base + "/events"), timeout: .seconds(60))
            #expect(response.headers.first(name: "content-type") == "text/event-stream")
            var text = ""
            for try await bytes in response.body {
                text += String(decoding: bytes.readableBytesView, as: UTF8.self)
                if text.contains(": keep-alive\n\n: keep-alive\n\n: keep-alive\n\n") { break }
            }
            broadcast.finish()
            #expect(text.hasPrefix(": keep-alive\n\n"))
        }
    }

    @Test func aSourceThatFailsEndsTheConnectionNotTheServer() async throws {
        struct Broken: EventSource {
            func next() async throws -> [ByteBuffer]? { throw Failure("the database is gone") }
        }
        try await LittleServer.with { router in
            router.get("events") { _, context in
                EventStream.response(Broken(), keepAlive: .seconds(3600), on: context.channel)
            }
        } _: { server in
            for _ in 0..<2 {
                let peer = try await RawPeer.connect(to: server.address)
                await peer.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
                // Without a last chunk: whoever listens knows that it was cut off.
                #expect(!(try await peer.untilClosed()).contains("\r\n0\r\n\r\n"))
            }
        }
    }
}
