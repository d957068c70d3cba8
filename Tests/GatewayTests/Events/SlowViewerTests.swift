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
@Suite(.timeLimit(.minutes(5))) struct SlowViewerTests {
    private static let viewers = 100

    /// What a viewer that reads has seen.
    private struct Seen: Sendable {
        var frames: [Int] = []
        /// Of events of all kinds.
        var ids: [Int] = []
    }

    /// - Parameter told: of each frame, as it comes.
    private static func see(_ events: EventReader, _ told: AsyncStream<Int>.Continuation) async throws -> Seen {
        var seen = Seen()
        for try await event in events {
            seen.ids.append(event.id.flatMap { Int($0) } ?? -1)
            guard event.name == "frame" else { continue }
            let sequence = try event.json()["sequence"] as? Int ?? -1
            seen.frames.append(sequence)
            told.yield(sequence)
        }
        return seen
    }

    @Test func oneOfAHundredThatNeverReadsIsDroppedAndTheOthersSeeEachFrameInOrder() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.viewers
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        try await TestStream.with {
            $0.limits.events.viewers = Self.viewers
            $0.limits.events.viewerBytes = 16 << 10
            $0.limits.rate.share = 1
            // What ends the one that does not read is that it is a viewer, and no other limit.
            $0.limits.connections.outputTimeout = .seconds(3600)
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            func viewerCount() async throws -> Int { try await gateway.get(path).json()["viewers"] as? Int ?? -1 }

            let stuck = try await RawPeer.connect(
                to: gateway.address, receives: false, receiveBuffer: 4096, segment: 536)
            await stuck.send("GET \(path)/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try await withThrowingTaskGroup(of: Seen.self) { tasks in
                var progress: [AsyncStream<Int>.AsyncIterator] = []
                for _ in 1..<Self.viewers {
                    let events = try await EventReader(gateway.base + path + "/events", client: client)
                    try #require(events.status == 200)
                    let (frames, told) = AsyncStream<Int>.makeStream()
                    progress.append(frames.makeAsyncIterator())
                    tasks.addTask { try await Self.see(events, told) }
                }
                while try await viewerCount() < Self.viewers { try await Task.sleep(for: .milliseconds(5)) }

                var pushed = 0
                /// No frame is sent before all who read have seen the one before: who is slow is so by its own doing.
                func push() async throws {
                    let answer = try await TestStream.push(gateway, path)
                    #expect(answer.status == 200, "\(answer.text)")
                    for index in progress.indices { try #require(await progress[index].next() == pushed) }
                    pushed += 1
                }
                while try await viewerCount() == Self.viewers {
                    try #require(pushed < 5000, "what the system and the queue hold for one viewer is far less")
                    try await push()
                }
                #expect(try await viewerCount() == Self.viewers - 1)
                for _ in 0..<10 { try await push() }
                #expect(try await gateway.send("DELETE", path).status == 204)
                for try await seen in tasks {
                    #expect(seen.frames == Array(0..<pushed))
                    #expect(seen.ids == seen.ids.indices.map { seen.ids[0] + $0 }, "without a gap")
                }
            }
            stuck.receiveAll()
            let heard = try await stuck.untilClosed()
            #expect(heard.contains("event: frame") && !heard.contains("event: end"))
        }
        try await client.shutdown()
    }

    @Test func aViewerOfPicturesThatTakesNoneIsCutOffAndTheOtherSeesEach() async throws {
        var limits = EventLimits()
        limits.viewerStall = .milliseconds(100)
        let places = Places(2, "viewers", of: "viewers", share: 1)
        let broadcast = Broadcast.pictures(limits, places)
        let (coming, come) = AsyncStream<Void>.makeStream()
        try await LittleServer.with { router in
            router.get("pictures") { _, context in
                defer { come.yield() }
                return EventStream.pictures(try broadcast.watch(for: context.caller.key), on: context.channel)
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
        #expect(places.taken == 0)
    }
}
