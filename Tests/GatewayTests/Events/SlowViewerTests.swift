import AsyncHTTPClient
import Hummingbird
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// A viewer that does not read, over a real connection.
@Suite struct SlowViewerTests {
    private static let viewers = 100

    /// A viewer that reads: how many events it has seen.
    private static func count(_ response: HTTPClientResponse, _ seen: AsyncStream<Int>.Continuation) async throws -> Int
    {
        var text = ""
        var count = 0
        for try await bytes in response.body {
            text += String(decoding: bytes.readableBytesView, as: UTF8.self)
            while let end = text.firstRange(of: "\n\n") {
                if text[..<end.lowerBound].contains("event: n\n") {
                    count += 1
                    seen.yield(count)
                }
                text.removeSubrange(..<end.upperBound)
            }
        }
        return count
    }

    @Test func oneOfAHundredThatNeverReadsIsDroppedAndTheOthersMissNothing() async throws {
        var limits = EventLimits()
        limits.viewerBytes = 64 << 10
        let places = ViewerPlaces(Self.viewers)
        let broadcast = Broadcast.events(limits, places)
        let (coming, come) = AsyncStream<Void>.makeStream()
        let published = try await LittleServer.with { router in
            router.get("events") { _, context in
                defer { come.yield() }
                return EventStream.response(try broadcast.watch(), keepAlive: .seconds(3600), on: context.channel)
            }
        } _: { server in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 4096)
                .connect(to: server.address).get()
            try await channel.writeAndFlush(ByteBuffer(string: "GET /events HTTP/1.1\r\nHost: a\r\n\r\n"))

            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.viewers
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
            let published = try await withThrowingTaskGroup(of: Int.self) { tasks in
                var progress: [AsyncStream<Int>.AsyncIterator] = []
                for _ in 1..<Self.viewers {
                    let (seen, continuation) = AsyncStream<Int>.makeStream()
                    progress.append(seen.makeAsyncIterator())
                    tasks.addTask {
                        let request = HTTPClientRequest(url: server.base + "/events")
                        let response = try await client.execute(request, timeout: .seconds(300))
                        return try await Self.count(response, continuation)
                    }
                }
                var arrivals = coming.makeAsyncIterator()
                for _ in 0..<Self.viewers { await arrivals.next() }
                // At the pace of those who read: none of them is ever behind, however slow this machine is.
                var published = 0
                while broadcast.droppedViewers == 0, published < 5000 {
                    published += 1
                    broadcast.publish("n", data: String(repeating: "x", count: 16 << 10))
                    for index in progress.indices { #expect(await progress[index].next() == published) }
                }
                broadcast.publish("n", data: "last")
                broadcast.finish()
                for try await count in tasks { #expect(count == published + 1) }
                return published
            }
            try await client.shutdown()
            #expect(broadcast.droppedViewers == 1)
            try? await channel.close()
            return published
        }
        // What the kernel and the queue hold for one viewer, not more.
        #expect(published < 5000)
        #expect(places.count == 0)
    }

    @Test func aViewerOfPicturesThatTakesNoneIsCutOffAndTheOtherSeesEach() async throws {
        var limits = EventLimits()
        limits.viewerStall = .milliseconds(100)
        let places = ViewerPlaces(2)
        let broadcast = Broadcast.pictures(limits, places)
        let (coming, come) = AsyncStream<Void>.makeStream()
        try await LittleServer.with { router in
            router.get("pictures") { _, context in
                defer { come.yield() }
                return EventStream.pictures(try broadcast.watch(), on: context.channel)
            }
        } _: { server in
            let stuck = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 4096)
                .connect(to: server.address).get()
            try await stuck.writeAndFlush(ByteBuffer(string: "GET /pictures HTTP/1.1\r\nHost: a\r\n\r\n"))
            let response = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: server.base + "/pictures"), timeout: .seconds(300))
            var arrivals = coming.makeAsyncIterator()
            for _ in 0..<2 { await arrivals.next() }

            let picture = PicturePart.bytes(
                jpeg: ByteBuffer(repeating: 1, count: 64 << 10), sequence: 0, age: .zero)
            var body = response.body.makeAsyncIterator()
            var missing = PicturePart.start.readableBytes
            // At the pace of the one who reads, which no picture waits for.
            while broadcast.droppedViewers == 0 {
                broadcast.publish(picture)
                missing += picture.readableBytes
                while missing > 0 {
                    missing -= try #require(await body.next()).readableBytes
                }
            }
            #expect(broadcast.viewerCount == 1)
            broadcast.publish(picture)
            missing += picture.readableBytes
            while missing > 0 { missing -= try #require(await body.next()).readableBytes }
            broadcast.finish()
            #expect(try await body.next() == nil)
            try? await stuck.close()
        }
        #expect(broadcast.droppedViewers == 1)
        #expect(places.count == 0)
    }
}
