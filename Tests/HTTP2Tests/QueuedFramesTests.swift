import NIOCore
import Testing

@testable import HTTP2

/// What may wait for a peer that reads nothing (`FloodLimits.maxQueuedFrames`). What its open streams are owed is no fault
/// of its, however many they are.
@Suite struct QueuedFramesTests {
    private static let most = 100
    /// Far more than a server allows by default: a limit that is right for those would not be for these.
    private static let many = 1000

    /// A server that owes each of so many open streams a head and trailers.
    private static func owing(streams: Int) throws -> Pair {
        var settings = SessionSettings()
        settings.maxConcurrentStreams = streams
        settings.flood.maxQueuedFrames = most
        let pair = try Pair(server: settings)
        try pair.exchange()
        for _ in 0..<streams {
            let stream = try pair.client.request(Pair.head)
            pair.client.send(stream: stream, ByteBuffer(string: "hello"))
            pair.client.finish(stream: stream)
        }
        let seen = try pair.exchange().server
        #expect(seen.count { $0.hasPrefix("headers") || $0.hasPrefix("request") } == streams)
        for number in 0..<streams {
            pair.server.respond(stream: id(number), fields: [HeaderField(":status", "200")], endStream: false)
            pair.server.finish(stream: id(number), trailers: [HeaderField("grpc-status", "0")])
        }
        return pair
    }

    /// Of a client's streams, in the order in which it opens them.
    private static func id(_ number: Int) -> Int32 { Int32(2 * number + 1) }

    private func isTooMany(_ error: any Error) -> Bool { (error as? HTTP2Error)?.limit == .queuedFrames }

    @Test(arguments: [0, 1, many])
    func besideWhatOpenStreamsAreOwedSoManyMayWait(_ streams: Int) throws {
        let pair = try Self.owing(streams: streams)
        // Each has an answer, which waits.
        for number in 0..<Self.most { pair.client.ping(UInt64(number)) }
        try pair.exchangeNothingBack()
        pair.client.ping(0)
        #expect { try pair.exchangeNothingBack() } throws: { isTooMany($0) }
    }

    /// A peer that resets what it has asked for, and does not read, leaves two frames of each stream.
    @Test func whatStreamsThatAreGoneWereOwedIsCounted() throws {
        let pair = try Self.owing(streams: Self.many)
        let spare = Self.most / 2
        for number in 0..<spare { pair.client.reset(stream: Self.id(number), code: .cancel) }
        try pair.exchangeNothingBack()
        pair.client.reset(stream: Self.id(spare), code: .cancel)
        #expect { try pair.exchangeNothingBack() } throws: { isTooMany($0) }
    }

    /// Their refusals wait as well, and they are owed nothing else.
    @Test func streamsBeyondTheLimitAreNoExcuse() throws {
        var settings = SessionSettings()
        settings.maxConcurrentStreams = 10
        settings.flood.maxQueuedFrames = 50
        let pair = try Pair(server: settings)
        // The client has not heard of the limit: 50 of 60 are refused, then 30 more.
        for _ in 0..<60 { _ = try pair.client.request(Pair.head) }
        try pair.exchangeNothingBack()
        for _ in 0..<30 { _ = try pair.client.request(Pair.head) }
        #expect { try pair.exchangeNothingBack() } throws: { isTooMany($0) }
    }

    @Test func aPeerThatReadsAtLastGoesOn() throws {
        let pair = try Self.owing(streams: Self.many)
        for number in 0..<Self.most { pair.client.ping(UInt64(number)) }
        try pair.exchangeNothingBack()
        #expect(try pair.exchange().client.count { $0.hasPrefix("closed") } == Self.many)
        let stream = try pair.client.request(Pair.head)
        #expect(try pair.exchange().server == ["headers \(stream) \(Pair.seenHead)"])
    }
}
