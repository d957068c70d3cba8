import NIOCore
import Testing

@testable import HTTP2

@Suite struct SessionTests {
    @Test func requestsAndAnswersPass() throws {
        let pair = try Pair()
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        pair.client.send(stream: stream, ByteBuffer(string: "hello"))
        pair.client.finish(stream: stream)
        let request = try pair.exchange()
        #expect(request.server == ["request 1 \(Pair.seenHead) 5"])
        pair.server.respond(stream: 1, fields: [HeaderField(":status", "200")], endStream: false)
        pair.server.send(stream: 1, ByteBuffer(string: "hi"))
        pair.server.finish(stream: 1, trailers: [HeaderField("grpc-status", "0")])
        let answer = try pair.exchange()
        #expect(
            answer.client == [
                "headers 1 :status=200", "data 1 2", "headers 1 grpc-status=0 end", "closed 1 NO_ERROR",
            ])
        #expect(answer.server == ["closed 1 NO_ERROR"])
    }

    @Test func aRequestMayComeByteByByte() throws {
        let pair = try Pair()
        try pair.exchange()
        let fields = Pair.head + (0..<20).map { HeaderField("x-\($0)", String(repeating: "v", count: $0)) }
        for round in 0..<3 {
            let stream = try pair.client.request(fields)
            pair.client.send(stream: stream, ByteBuffer(string: "hello"))
            pair.client.finish(stream: stream)
            var bytes = ByteBuffer()
            while try pair.client.produce({ bytes.writeImmutableBuffer($0) }) {}
            var seen: [HeaderField] = []
            var data = 0
            while let byte = bytes.readSlice(length: 1) {
                try pair.server.receive(byte, now: 0)
                pair.server.tellEvents { event in
                    if case .headers(_, let head, _) = event { seen += head }
                    if case .data(_, _, let length) = event { data += length }
                }
            }
            #expect(seen == fields, "round \(round)")
            #expect(data == 5)
        }
    }

    @Test func requestsInManyFramesKeepTheirOrder() throws {
        var settings = SessionSettings()
        settings.maxFrameBytes = 16_384
        let pair = try Pair(client: settings, server: settings)
        try pair.exchange()
        // nghttp2 sends all heads before the first DATA.
        for _ in 0..<3 {
            let stream = try pair.client.request(Pair.head)
            pair.client.send(stream: stream, ByteBuffer(repeating: 1, count: stream == 5 ? 20_000 : 5))
            pair.client.finish(stream: stream)
        }
        let seen = try pair.exchange().server
        #expect(seen.filter { $0.hasPrefix("request") } == [1, 3].map { "request \($0) \(Pair.seenHead) 5" })
        let third = seen.filter { $0.split(separator: " ")[1] == "5" }
        #expect(third == ["headers 5 \(Pair.seenHead)", "data 5 16384", "data 5 3616", "ended 5"])
    }

    @Test func anAnsweredStreamIsStopped() throws {
        let pair = try Pair()
        try pair.exchange()
        _ = try pair.client.request(Pair.head)
        try pair.exchange()
        pair.server.respond(stream: 1, fields: [HeaderField(":status", "415")], endStream: true)
        let seen = try pair.exchange()
        #expect(seen.client == ["headers 1 :status=415 end", "closed 1 NO_ERROR"])
        #expect(seen.server == ["closed 1 NO_ERROR"])
    }

    @Test func headsOfStatus1xxAreNotTold() throws {
        let pair = try Pair()
        try pair.exchange()
        _ = try pair.client.request(Pair.head)
        try pair.exchange()
        // The name is the one of HPACK's entry 8.
        let interim: [UInt8] = [0, 0, 5, 1, 4, 0, 0, 0, 1, 8, 3] + Array("103".utf8)
        try pair.client.receive(ByteBuffer(bytes: interim + interim), now: 0)
        pair.server.respond(stream: 1, fields: [HeaderField(":status", "200")], endStream: true)
        #expect(try pair.exchange().client == ["headers 1 :status=200 end", "closed 1 NO_ERROR"])
    }

    @Test func resetsAreSeenByThePeer() throws {
        let pair = try Pair()
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        try pair.exchange()
        pair.client.reset(stream: stream, code: .cancel)
        #expect(try pair.exchange().server == ["closed 1 CANCEL"])
        // The connection lives.
        _ = try pair.client.request(Pair.head)
        #expect(try pair.exchange().server == ["headers 3 \(Pair.seenHead)"])
    }

    @Test func aRequestIsSentOnceItsHeadIs() throws {
        let pair = try Pair()
        try pair.exchange()
        let first = try pair.client.request(Pair.head)
        #expect(!pair.client.hasSent(request: first))
        try pair.exchange()
        let second = try pair.client.request(Pair.head)
        #expect(pair.client.hasSent(request: first))
        #expect(!pair.client.hasSent(request: second))
    }

    @Test func aStreamThatEndsBeforeItsHeadersWereSentIsClosedToo() throws {
        let pair = try Pair()
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        pair.client.reset(stream: stream, code: .cancel)
        let seen = try pair.exchange()
        #expect(seen.client == ["closed 1 CANCEL"])
        #expect(seen.server == [])
    }

    @Test func aGracefulEndRefusesNothingThatCameInTime() throws {
        let pair = try Pair()
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        pair.client.finish(stream: stream)
        try pair.exchange()
        pair.server.announceGoAway(thenPing: 7)
        let first = try pair.exchange()
        #expect(first.client == ["goaway \(Int32.max) NO_ERROR"])
        #expect(first.server == ["pong 7"])
        pair.server.finalGoAway()
        #expect(try pair.exchange().client == ["goaway 1 NO_ERROR"])
        #expect(throws: HTTP2Error.self) { try pair.client.request(Pair.head) }
        #expect(!pair.server.isFinished)
        pair.server.respond(stream: 1, fields: [HeaderField(":status", "200")], endStream: true)
        #expect(try pair.exchange().client == ["headers 1 :status=200 end", "closed 1 NO_ERROR"])
        #expect(pair.server.isFinished)
        #expect(pair.client.isFinished)
    }

    /// Its client is told that they were not begun, and begins them elsewhere.
    @Test func noStreamBeginsWhileTheLastGoAwayWaits() throws {
        let pair = try Pair()
        try pair.exchange()
        pair.client.finish(stream: try pair.client.request(Pair.head))
        try pair.exchange()
        pair.server.finalGoAway()
        let late = try pair.client.request(Pair.head)
        pair.client.send(stream: late, ByteBuffer(string: "hello"))
        pair.client.finish(stream: late)
        try pair.exchangeNothingBack()
        var begun: [Int32] = []
        pair.server.tellEvents { event in
            switch event {
            case .headers(let stream, _, _), .request(let stream, _, _, _): begun.append(stream)
            default: break
            }
        }
        #expect(begun == [])
        let seen = try pair.exchange()
        #expect(seen.server == ["closed \(late) REFUSED_STREAM"])
        #expect(seen.client.sorted() == ["closed \(late) REFUSED_STREAM", "goaway 1 NO_ERROR"])
        pair.server.respond(stream: 1, fields: [HeaderField(":status", "200")], endStream: true)
        #expect(try pair.exchange().client == ["headers 1 :status=200 end", "closed 1 NO_ERROR"])
        #expect(pair.server.isFinished)
    }

    @Test func headersBeyondTheLimitsAreCountedNotKept() throws {
        var settings = SessionSettings()
        settings.maxHeaderFields = 10
        let pair = try Pair(server: settings)
        try pair.exchange()
        _ = try pair.client.request(Pair.head + (0..<20).map { HeaderField("x-\($0)", "v") })
        #expect(try pair.exchange().server == ["oversized 1 24"])
        // The compression state is still right.
        _ = try pair.client.request(Pair.head)
        #expect(try pair.exchange().server.contains("headers 3 \(Pair.seenHead)"))
    }

    @Test func anEndlessHeaderBlockEndsTheConnection() throws {
        var settings = SessionSettings()
        settings.maxHeaderFields = 10
        let pair = try Pair(server: settings)
        try pair.exchange()
        _ = try pair.client.request(Pair.head + (0..<200).map { HeaderField("x-\($0)", "v") })
        #expect { try pair.exchange() } throws: { ($0 as? HTTP2Error)?.code == .enhanceYourCalm }
    }

    @Test func floodsEndTheConnection() throws {
        for flood in ["reset", "ping"] {
            var settings = SessionSettings()
            settings.flood.resetsReceived = 50
            settings.flood.pings = 50
            let pair = try Pair(server: settings)
            try pair.exchange()
            func send() throws {
                for number in 0..<60 {
                    if flood == "ping" {
                        pair.client.ping(UInt64(number))
                    } else {
                        let stream = try pair.client.request(Pair.head)
                        try pair.exchange()
                        pair.client.reset(stream: stream, code: .cancel)
                    }
                    try pair.exchange()
                }
            }
            #expect { try send() } throws: { error in
                (error as? HTTP2Error)?.code == .enhanceYourCalm
            }
        }
    }

    @Test func theSameFramesOverTimeAreNoFlood() throws {
        var settings = SessionSettings()
        settings.flood.pings = 50
        let pair = try Pair(server: settings)
        for number in 0..<200 {
            pair.now += 100_000_000
            pair.client.ping(UInt64(number))
            #expect(try pair.exchange().client == ["pong \(number)"])
        }
    }

    @Test func bytesThatAreNotHTTP2AreAnError() throws {
        let server = try Session(role: .server)
        #expect(throws: HTTP2Error.self) { try server.receive(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"), now: 0) }
    }

    @Test func aServerOfHTTP1IsCalledThat() throws {
        let client = try Session(role: .client)
        let error = #expect(throws: HTTP2Error.self) {
            try client.receive(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"), now: 0)
        }
        #expect(error?.code == .http11Required)
        #expect(error?.message == "who is there speaks HTTP/1, not HTTP/2: a web server or gateway?")
    }

    /// An alert, as of BoringSSL.
    @Test func aServerOfTLSIsCalledThat() throws {
        let client = try Session(role: .client)
        let error = #expect(throws: HTTP2Error.self) {
            try client.receive(ByteBuffer(bytes: [21, 3, 1, 0, 2, 2, 70]), now: 0)
        }
        #expect(error?.message == "who is there speaks TLS, and was called without it")
        #expect(error?.isTLSMismatch == true && error?.limit == .connectionViolation)
    }

    @Test func moreStreamsThanAllowedAreRefused() throws {
        var settings = SessionSettings()
        settings.maxConcurrentStreams = 2
        let pair = try Pair(server: settings)
        // Before the client has heard of the limit.
        for _ in 0..<5 { _ = try pair.client.request(Pair.head) }
        let seen = try pair.exchange()
        #expect(seen.server.filter { $0.hasPrefix("headers") }.count == 2)
        let refused = ["5", "7", "9"].map { "closed \($0) REFUSED_STREAM" }
        #expect(seen.client.filter { $0.hasPrefix("closed") } == refused)
        // Each that ends makes room for one.
        pair.server.reset(stream: 1, code: .cancel)
        _ = try pair.client.request(Pair.head)
        #expect(try pair.exchange().server == ["closed 1 CANCEL", "headers 11 \(Pair.seenHead)"])
    }

    @Test func theLimitOfStreamsIsAnnounced() throws {
        var settings = SessionSettings()
        settings.maxConcurrentStreams = 77
        let pair = try Pair(server: settings)
        var announced: [UInt32] = []
        var bytes = ByteBuffer()
        while try pair.server.produce({ bytes.writeImmutableBuffer($0) }) {}
        try pair.client.receive(bytes, now: 0)
        pair.client.tellEvents { if case .settings(let limit) = $0 { announced.append(limit) } }
        #expect(announced == [77])
    }

    @Test func nothingIsKeptForAStreamThatIsGone() throws {
        let pair = try Pair()
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        try pair.exchange()
        pair.client.reset(stream: stream, code: .cancel)
        try pair.exchangeNothingBack()
        let fields = PreparedFields([HeaderField(":status", "200")])
        pair.server.reply(
            stream: stream, head: fields, prefix: ShortBytes(0, 9), body: ByteBuffer(repeating: 1, count: 9),
            trailers: fields)
        pair.server.respond(stream: stream, fields: [HeaderField(":status", "200")], endStream: false)
        pair.server.send(stream: stream, ByteBuffer(repeating: 1, count: 9))
        #expect(pair.server.unsentBytes == 0)
        var outputs = 0
        pair.server.forEachOutput { _, _, _ in outputs += 1 }
        #expect(outputs == 0)
    }

    @Test func trailersOfARequestAreNoRequest() throws {
        let pair = try Pair()
        try pair.exchange()
        let stream = try pair.client.request(Pair.head)
        pair.client.send(stream: stream, ByteBuffer(string: "hello"))
        pair.client.finish(stream: stream, trailers: [HeaderField("x-sum", "1")])
        let seen = try pair.exchange()
        #expect(seen.server == ["headers 1 \(Pair.seenHead)", "data 1 5", "trailers 1 x-sum=1"])
    }

    @Test func thePingOfAGracefulEndFollowsItsGoAway() throws {
        let pair = try Pair()
        try pair.exchange()
        pair.server.announceGoAway(thenPing: 7)
        var bytes = ByteBuffer()
        while try pair.server.produce({ bytes.writeImmutableBuffer($0) }) {}
        let (ping, goAway): (UInt8, UInt8) = (6, 7)
        let goAwayBytes = 17
        #expect(bytes.getInteger(at: 3) == goAway)
        #expect(bytes.getInteger(at: goAwayBytes + 3) == ping)
    }
}
