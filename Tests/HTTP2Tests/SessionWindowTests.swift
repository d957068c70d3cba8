import NIOCore
import Testing

@testable import HTTP2

/// Flow control of streams and of the connection (RFC 9113, section 5.2).
@Suite struct SessionWindowTests {
    /// Bytes of DATA that come to the server until both are silent.
    private func received(_ pair: Pair) throws -> Int {
        try pair.exchange().server.reduce(0) {
            $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) * ($1.hasPrefix("data") ? 1 : 0)
        }
    }

    /// Nobody gives credit.
    /// - Returns: bytes, and those of DATA.
    private func pass(from: Session, to: Session) throws -> (all: Int, data: Int) {
        var sum = (all: 0, data: 0)
        var hasMore = true
        while hasMore {
            var chunks: [ByteBuffer] = []
            hasMore = try from.produce { chunks.append($0) }
            for chunk in chunks {
                sum.all += chunk.readableBytes
                try to.receive(chunk, now: 0)
                to.tellEvents { if case .data(_, _, let length) = $0 { sum.data += length } }
            }
        }
        return sum
    }

    /// Bytes of DATA that come when the client has heard all.
    private func uncredited(from client: Session, to server: Session) throws -> Int {
        _ = try pass(from: server, to: client)
        return try pass(from: client, to: server).data
    }

    @Test func aSenderStopsAtTheWindowUntilItIsCredited() throws {
        var settings = SessionSettings()
        settings.initialStreamWindowBytes = 100_000
        let pair = try Pair(server: settings)
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        pair.client.send(stream: stream, ByteBuffer(repeating: 1, count: 350_000))
        #expect(try received(pair) == 100_000)
        #expect(try received(pair) == 0)
        pair.server.credit(stream: stream, bytes: 40_000)
        #expect(try received(pair) == 40_000)
        // More than a window at once: room for a message whose length is known.
        pair.server.credit(stream: stream, bytes: 500_000)
        #expect(try received(pair) == 210_000)
    }

    @Test func newStreamsHaveTheWindowThatWasAnnouncedLast() throws {
        var settings = SessionSettings()
        settings.initialStreamWindowBytes = 100_000
        let pair = try Pair(server: settings)
        try pair.exchange()
        /// What a sender may send before it is credited.
        func window() throws -> Int {
            let stream = try pair.client.request(Pair.head)
            pair.client.send(stream: stream, ByteBuffer(repeating: 1, count: 350_000))
            return try received(pair)
        }
        #expect(try window() == 100_000)
        pair.server.announceStreamWindow(bytes: 200_000)
        // The open one gets the difference.
        #expect(try received(pair) == 100_000)
        #expect(try window() == 200_000)
        pair.server.announceStreamWindow(bytes: 100_000)
        try pair.exchange()
        #expect(try window() == 100_000)
        // Those before owe the difference now.
        pair.server.credit(stream: 1, bytes: 100_000)
        pair.server.credit(stream: 3, bytes: 150_000)
        #expect(try received(pair) == 50_000)
    }

    @Test(arguments: [(1, 4), (2, 2)])
    func theConnectionIsCreditedInPartsOfItsWindow(streams: Int, parts: Int) throws {
        let window = 1 << 20
        var settings = SessionSettings()
        settings.connectionWindowBytes = window
        settings.initialStreamWindowBytes = 4 * window
        let (client, server) = (try Session(role: .client), try Session(role: .server, settings: settings))
        _ = try pass(from: client, to: server)
        _ = try pass(from: server, to: client)
        for _ in 0..<streams {
            client.send(stream: try client.request(Pair.head), ByteBuffer(repeating: 1, count: 4 * window))
        }
        #expect(try pass(from: client, to: server).data == window)
        // Whatever else the server has to say.
        _ = try pass(from: server, to: client)
        server.creditConnection(bytes: window / parts - 1)
        #expect(try pass(from: server, to: client).all == 0)
        server.creditConnection(bytes: 1)
        _ = try pass(from: server, to: client)
        #expect(try pass(from: client, to: server).data == window / parts)
        server.creditConnection(bytes: window)
        _ = try pass(from: server, to: client)
        #expect(try pass(from: client, to: server).data == window)
    }

    /// What was granted of a wider window is not taken back.
    @Test func theWindowOfTheConnectionChanges() throws {
        var settings = SessionSettings()
        settings.initialStreamWindowBytes = 10_000_000
        settings.connectionWindowBytes = 100_000
        let (client, server) = (try Session(role: .client), try Session(role: .server, settings: settings))
        func received() throws -> Int { try uncredited(from: client, to: server) }
        _ = try received()
        let stream = try client.request(Pair.head)
        client.send(stream: stream, ByteBuffer(repeating: 1, count: 1_250_000))
        #expect(try received() == 100_000)
        server.setConnectionWindow(bytes: 1_000_000)
        #expect(try received() == 900_000)
        server.creditConnection(bytes: 249_999)
        #expect(try received() == 0)
        server.creditConnection(bytes: 1)
        #expect(try received() == 250_000)
        server.creditConnection(bytes: 1_000_000)
        #expect(try received() == 0)
        server.setConnectionWindow(bytes: 100_000)
        client.send(stream: stream, ByteBuffer(repeating: 1, count: 3_000_000))
        #expect(try received() == 1_000_000)
        server.creditConnection(bytes: 1_000_000)
        #expect(try received() == 100_000)
        // Wide again, and what was held back comes with the next credit.
        server.setConnectionWindow(bytes: 1_000_000)
        #expect(try received() == 0)
        server.creditConnection(bytes: 100_000)
        #expect(try received() == 1_000_000)
    }

    /// What nghttp2 takes for held back is more, in all of these changes together, than its counters hold.
    @Test func theWindowOfTheConnectionMayChangeOften() throws {
        let (narrow, wide, count) = (1 << 20, 16 << 20, 18 << 20)
        var settings = SessionSettings()
        settings.initialStreamWindowBytes = 1 << 30
        settings.connectionWindowBytes = narrow
        let (client, server) = (try Session(role: .client), try Session(role: .server, settings: settings))
        _ = try uncredited(from: client, to: server)
        let stream = try client.request(Pair.head)
        let body = ByteBuffer(repeating: 1, count: count)
        for round in 0..<300 {
            let window = round % 2 == 0 ? wide : narrow
            server.setConnectionWindow(bytes: window)
            client.send(stream: stream, body)
            var (left, last) = (count, 0)
            while left > 0 {
                last = try uncredited(from: client, to: server)
                try #require(last > 0 && last <= wide)
                server.creditConnection(bytes: last)
                server.credit(stream: stream, bytes: last)
                left -= last
            }
            // By now all that was granted before has come.
            #expect(last <= window)
        }
    }

    @Test func whatWaitsIsCountedAndItsEndIsTold() throws {
        var (client, server) = (SessionSettings(), SessionSettings())
        client.initialStreamWindowBytes = 1000
        server.lowUnsentBytes = 500
        let pair = try Pair(client: client, server: server)
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        try pair.exchange()
        pair.server.respond(stream: stream, fields: [HeaderField(":status", "200")], endStream: false)
        pair.server.send(stream: stream, ByteBuffer(repeating: 1, count: 2000))
        #expect(pair.server.unsentBytes == 2000)
        try pair.exchange()
        #expect(pair.server.unsentBytes == 1000)
        pair.client.reset(stream: stream, code: .cancel)
        #expect(try pair.exchange().server.contains("drained"))
        #expect(pair.server.unsentBytes == 0)
    }

    /// A window of ten bytes for each stream, and a request that has used its own up.
    private func usedUp() throws -> (pair: Pair, stream: Int32) {
        var settings = SessionSettings()
        settings.initialStreamWindowBytes = 10
        let pair = try Pair(server: settings)
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        pair.client.send(stream: stream, ByteBuffer(repeating: 1, count: 10))
        #expect(try pair.exchange().server == ["headers \(stream) \(Pair.seenHead)", "data \(stream) 10"])
        return (pair, stream)
    }

    /// - Parameter window: of each stream, from when this one's was used up; 0 takes ten bytes more from it than it had.
    @Test(arguments: [10, 0]) func theEndOfABodyNeedsNoWindow(window: Int) throws {
        let (pair, stream) = try usedUp()
        pair.server.announceStreamWindow(bytes: window)
        try pair.exchange()
        pair.client.finish(stream: stream)
        // An end of data, no trailers.
        #expect(try pair.exchange().server == ["ended 1"])
        pair.server.respond(stream: stream, fields: [HeaderField(":status", "200")], endStream: true)
        let end = try pair.exchange()
        #expect(end.client == ["headers 1 :status=200 end", "closed 1 NO_ERROR"])
        #expect(end.server == ["closed 1 NO_ERROR"])
        // Both compression tables are still the same.
        pair.client.finish(stream: try pair.client.request(Pair.head))
        #expect(try pair.exchange().server == ["headers 3 \(Pair.seenHead)", "ended 3"])
    }

    @Test func theEndOfABodyNeedsNoWindowOfTheConnection() throws {
        var settings = SessionSettings()
        settings.connectionWindowBytes = 1 << 16
        let (client, server) = (try Session(role: .client), try Session(role: .server, settings: settings))
        /// The server gives no credit. - Returns: the streams that ended.
        func pass(from: Session, to: Session) throws -> [Int32] {
            var bytes = ByteBuffer()
            while try from.produce({ bytes.writeImmutableBuffer($0) }) {}
            try to.receive(bytes, now: 0)
            var ended: [Int32] = []
            to.tellEvents { if case .ended(let stream) = $0 { ended.append(stream) } }
            return ended
        }
        _ = try pass(from: client, to: server)
        _ = try pass(from: server, to: client)
        let (calm, begun) = (try client.request(Pair.head), try client.request(Pair.head))
        client.send(stream: begun, ByteBuffer(repeating: 1, count: 1 << 17))
        #expect(try pass(from: client, to: server) == [])
        client.finish(stream: begun)
        client.finish(stream: calm)
        // It ends before it has begun.
        client.finish(stream: try client.request(Pair.head))
        #expect(try Set(pass(from: client, to: server)) == [calm, 5])
    }

    @Test func theEndOfABodyTakesNothingFromTheNextHeaderBlock() throws {
        let (pair, stream) = try usedUp()
        // SETTINGS that change the client's compression table, made of those that change nothing.
        pair.server.announceStreamWindow(bytes: 10)
        var settings = ByteBuffer()
        while try pair.server.produce({ settings.writeImmutableBuffer($0) }) {}
        #expect(settings.readableBytes == 9 + 6)
        settings.setInteger(UInt16(1), at: 9)
        settings.setInteger(UInt32(64), at: 9 + 2)
        try pair.client.receive(settings, now: 0)
        pair.client.finish(stream: stream)
        #expect(try pair.exchange().server == [])
        // It says how large the table is.
        _ = try pair.client.request(Pair.head)
        #expect(try pair.exchange().server == ["headers 3 \(Pair.seenHead)", "ended 1"])
    }

    @Test func trailersNeedNoWindowWhereTheBodyIsCutShort() throws {
        var client = SessionSettings()
        client.initialStreamWindowBytes = 10
        let pair = try Pair(client: client)
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        pair.client.finish(stream: stream)
        try pair.exchange()
        pair.server.respond(stream: stream, fields: [HeaderField(":status", "200")], endStream: false)
        pair.server.send(stream: stream, ByteBuffer(repeating: 1, count: 100))
        #expect(try pair.exchange().client == ["headers 1 :status=200", "data 1 10"])
        pair.server.cutShort(stream: stream, trailers: [HeaderField("grpc-status", "4")])
        let end = try pair.exchange()
        #expect(end.client == ["headers 1 grpc-status=4 end", "closed 1 NO_ERROR"])
        #expect(end.server == ["closed 1 NO_ERROR"])
        #expect(pair.server.unsentBytes == 0)
    }
}
