import HTTPTypes
import NIOCore
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(5))) struct ViewerTests {
    private static let me = Caller(address: nil).key

    private static func places(_ count: Int = 10) -> Places {
        Places(count, "viewers", of: "viewers", share: 1)
    }

    private static func limits(_ change: (inout EventLimits) -> Void = { _ in }) -> EventLimits {
        var limits = EventLimits()
        change(&limits)
        return limits
    }

    private static func texts(_ pieces: [ViewerQueue.Piece]?) -> [String] {
        (pieces ?? []).map { String(decoding: $0.bytes.readableBytesView, as: UTF8.self) }
    }

    @Test func anEventIsWrittenAsTheStandardSays() {
        #expect(ServerSentEvent("frame", id: "7", data: "{}").text == "id: 7\nevent: frame\ndata: {}\n\n")
        #expect(ServerSentEvent("a", data: "1\n2\r\n3\r4").text == "event: a\ndata: 1\ndata: 2\ndata: 3\ndata: 4\n\n")
        // Nothing in a name or an id begins a field of its own.
        #expect(ServerSentEvent("a\nid: 9", id: "1\r\n2\0", data: "").text == "id: 12\nevent: aid: 9\ndata: \n\n")
    }

    @Test func eachViewerGetsEachEventInOrder() async throws {
        let broadcast = Broadcast.events(Self.limits(), Self.places())
        let viewers = try (0..<3).map { _ in try broadcast.watch(for: Self.me) }
        for number in 0..<5 { broadcast.publish("n", data: "\(number)") }
        broadcast.finish()
        for viewer in viewers {
            #expect(Self.texts(await viewer.take()) == (0..<5).map { "id: \($0 + 1)\nevent: n\ndata: \($0)\n\n" })
            #expect(await viewer.take() == nil)
        }
    }

    @Test func aViewerThatWaitsIsWoken() async throws {
        let broadcast = Broadcast.events(Self.limits(), Self.places())
        let viewer = try broadcast.watch(for: Self.me)
        async let next = viewer.take()
        broadcast.publish("n", data: "x")
        #expect(Self.texts(await next) == ["id: 1\nevent: n\ndata: x\n\n"])
    }

    @Test func aViewerWhoseTaskIsCancelledDoesNotWaitForEver() async throws {
        let broadcast = Broadcast.events(Self.limits(), Self.places())
        let viewer = try broadcast.watch(for: Self.me)
        let waiting = Task { await viewer.take() == nil }
        waiting.cancel()
        #expect(await waiting.value)
    }

    @Test func whoComesBackGetsWhatWasMissed() async throws {
        let broadcast = Broadcast.events(Self.limits { $0.history = 3 }, Self.places())
        for number in 1...5 { broadcast.publish("n", data: "\(number)") }
        func ids(after id: UInt64?) async throws -> [UInt64?] {
            let viewer = try broadcast.watch(for: Self.me, after: id)
            broadcast.publish("n", data: "more")
            return await viewer.take()?.map(\.id) ?? []
        }
        // Three are remembered; the next is published each time.
        #expect(try await ids(after: 4) == [5, 6])
        #expect(try await ids(after: 1) == [4, 5, 6, 7])
        #expect(try await ids(after: nil) == [8])
        // Of another life of this source: nothing can be said of it.
        #expect(try await ids(after: 1000) == [9])
    }

    @Test func whatWasMissedDoesNotCountAsBehind() async throws {
        let broadcast = Broadcast.events(
            Self.limits {
                $0.viewerEvents = 4
                $0.viewerBytes = 100
            }, Self.places())
        for _ in 0..<50 { broadcast.publish("n", data: "old") }
        let viewer = try broadcast.watch(for: Self.me, after: 0)
        for _ in 0..<4 { broadcast.publish("n", data: "") }
        #expect(!viewer.wasDropped)
        #expect(await viewer.take()?.map(\.id) == (1...54).map { $0 })
        // From then on it is as others are.
        for _ in 0..<5 { broadcast.publish("n", data: "") }
        #expect(viewer.wasDropped)
        #expect(await viewer.take() == nil)
    }

    @Test func whoIsWokenHasNothingAndWaitsAgain() async throws {
        let broadcast = Broadcast.events(EventLimits(), Self.places())
        let viewer = try broadcast.watch(for: Self.me)
        // Also by what came before it waited.
        viewer.wake()
        #expect(await viewer.take()?.isEmpty == true)
        async let waiting = viewer.take()
        viewer.wake()
        #expect(await waiting?.isEmpty == true)
        broadcast.publish("n", data: "x")
        #expect(await viewer.take()?.count == 1)
    }

    @Test func historyIsBoundedInBytes() async throws {
        let broadcast = Broadcast.events(Self.limits { $0.historyBytes = 1000 }, Self.places())
        for _ in 0..<100 { broadcast.publish("n", data: String(repeating: "x", count: 200)) }
        let viewer = try broadcast.watch(for: Self.me, after: 0)
        #expect(await viewer.take()?.count == 4)
    }

    @Test func whoIsBehindByTooMuchIsDroppedAndTheOthersAreNot() async throws {
        let broadcast = Broadcast.events(Self.limits { $0.viewerEvents = 4 }, Self.places())
        let slow = try broadcast.watch(for: Self.me)
        let quick = try broadcast.watch(for: Self.me)
        var seen = 0
        let (drops, dropped) = AsyncStream<Void>.makeStream()
        slow.onDrop { dropped.finish() }
        for _ in 0..<10 {
            broadcast.publish("n", data: "")
            seen += await quick.take()?.count ?? 0
        }
        for await _ in drops {}
        #expect(seen == 10)
        #expect(slow.wasDropped && !quick.wasDropped)
        #expect(broadcast.droppedViewers == 1)
        #expect(broadcast.viewerCount == 1)
        #expect(await slow.take() == nil)
    }

    @Test func bytesBoundAViewerTooButOneEventAlwaysFits() async throws {
        let broadcast = Broadcast.events(Self.limits { $0.viewerBytes = 100 }, Self.places())
        let viewer = try broadcast.watch(for: Self.me)
        broadcast.publish("n", data: String(repeating: "x", count: 1000))
        #expect(!viewer.wasDropped)
        broadcast.publish("n", data: "")
        #expect(viewer.wasDropped)
    }

    @Test func aViewerOfPicturesSkipsWhatItIsTooSlowFor() async throws {
        let broadcast = Broadcast.pictures(Self.limits { $0.viewerStall = .seconds(3600) }, Self.places())
        let viewer = try broadcast.watch(for: Self.me)
        for number in 0..<100 { broadcast.publish(ByteBuffer(string: "\(number)")) }
        #expect(Self.texts(await viewer.take()) == ["99"])
    }

    @Test func aViewerOfPicturesThatTakesNoneIsDroppedInTheEnd() {
        let start = ContinuousClock.now
        var queue = ViewerQueue(.newest(stall: .seconds(10)))
        let piece = ViewerQueue.Piece(bytes: ByteBuffer())
        #expect(queue.offer(piece, now: start) == true)
        #expect(queue.offer(piece, now: start + .seconds(9)) == true)
        #expect(queue.take().count == 1)
        // It has taken one: a new wait begins with the next.
        #expect(queue.offer(piece, now: start + .seconds(30)) == true)
        #expect(queue.offer(piece, now: start + .seconds(39)) == true)
        #expect(queue.offer(piece, now: start + .seconds(40)) == false)
    }

    @Test func aThousandViewersAreALimitAndPlacesComeBack() throws {
        let places = Self.places(EventLimits().viewers)
        let broadcasts = (0..<2).map { _ in Broadcast.events(EventLimits(), places) }
        var viewers = try (0..<1000).map { try broadcasts[$0 % 2].watch(for: Self.me) }
        let error = #expect(throws: Problem.self) { try broadcasts[0].watch(for: Self.me) }
        #expect(error?.limit?.name == "viewers" && error?.limit?.value == 1000)
        broadcasts[0].publish("n", data: "")
        viewers.removeLast(10)
        #expect(places.taken == 990)
        #expect(broadcasts[0].viewerCount + broadcasts[1].viewerCount == 990)
        #expect(throws: Never.self) { try broadcasts[1].watch(for: Self.me) }
        viewers.removeAll()
        #expect(places.taken == 0)
    }

    @Test func oneCallerHasItsShareOfTheViewersAndTheRestIsForOthers() throws {
        let places = Places(4, "viewers", of: "viewers", share: 0.5)
        let broadcasts = [
            Broadcast.events(EventLimits(), places), Broadcast.pictures(EventLimits(), places),
        ]
        var mine = try broadcasts.map { try $0.watch(for: .name("eve")) }
        let excess = #expect(throws: Problem.self) { try broadcasts[0].watch(for: .name("eve")) }
        #expect(excess?.status == .tooManyRequests && excess?.limit?.name == "caller-share")
        let others = try broadcasts.map { try $0.watch(for: .name("ada")) }
        mine.removeLast()
        #expect(throws: Never.self) { try broadcasts[0].watch(for: .name("eve")) }
        withExtendedLifetime(others) {}
    }

    @Test func whoComesAfterTheEndSeesTheEnd() async throws {
        let broadcast = Broadcast.events(EventLimits(), Self.places(1))
        broadcast.publish("end", data: "")
        broadcast.finish()
        let viewer = try broadcast.watch(for: Self.me, after: 0)
        #expect(await viewer.take()?.count == 1)
        #expect(await viewer.take() == nil)
    }

    @Test func aPartOfMovingPicturesSaysItsLength() {
        let part = PicturePart.bytes(jpeg: ByteBuffer(string: "JPEG"), sequence: 7, age: .microseconds(12_300))
        let head = "Content-Type: image/jpeg\r\nContent-Length: 4\r\nX-Frame-Sequence: 7\r\nX-Frame-Age-Ms: 12\r\n"
        #expect(
            String(decoding: part.readableBytesView, as: UTF8.self) == head + "\r\nJPEG\r\n--framemesh\r\n")
        let wide = PicturePart.bytes(
            jpeg: ByteBuffer(string: "JPEG"), sequence: 7, age: .microseconds(12_300), pixelAspect: 1.5)
        #expect(
            String(decoding: wide.readableBytesView, as: UTF8.self)
                == head + "X-Pixel-Aspect: 1.5\r\n\r\nJPEG\r\n--framemesh\r\n")
    }
}
