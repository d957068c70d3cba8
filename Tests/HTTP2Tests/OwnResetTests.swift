import NIOCore
import Testing

@testable import HTTP2

/// Which of our resets count against the peer (`FloodLimits.resetsSent`): those that it made us send, each once.
@Suite struct OwnResetTests {
    private static func settings(resetsSent: Int, streams: Int = 128) -> SessionSettings {
        var settings = SessionSettings()
        settings.maxConcurrentStreams = streams
        settings.flood.resetsSent = resetsSent
        return settings
    }

    private func isTooMany(_ error: any Error) -> Bool { (error as? HTTP2Error)?.limit == .ownResets }

    // ---- not the peer's doing ----

    /// Ends of a stream for reasons of our own, while its client still sends.
    enum OwnEnd: CaseIterable {
        /// As many handlers run as may.
        case refused
        /// The handler has ended, or a limit has, which is said in the status.
        case answered
        /// The time is over while the answer waits for the client's window.
        case cutShort
        /// The head that we made is larger than can be sent.
        case tooLarge

        var code: ErrorCode {
            switch self {
            case .refused: .refusedStream
            case .answered, .cutShort: .noError
            case .tooLarge: .internalError
            }
        }

        func end(_ stream: Int32, of pair: Pair) throws {
            let head = [HeaderField(":status", "200")]
            switch self {
            case .refused: pair.server.reset(stream: stream, code: .refusedStream)
            case .answered: pair.server.respond(stream: stream, fields: head, endStream: true)
            case .cutShort:
                pair.server.respond(stream: stream, fields: head, endStream: false)
                pair.server.send(stream: stream, ByteBuffer(repeating: 1, count: 100))
                try pair.exchange()
                pair.server.cutShort(stream: stream, trailers: [HeaderField("grpc-status", "4")])
            case .tooLarge:
                let large = HeaderField("x-large", String(repeating: "v", count: 70_000))
                pair.server.respond(stream: stream, fields: head + [large], endStream: true)
            }
        }
    }

    @Test(arguments: OwnEnd.allCases)
    func whatWeEndForReasonsOfOurOwnIsNotCounted(_ own: OwnEnd) throws {
        var client = SessionSettings()
        client.initialStreamWindowBytes = 10
        // A client takes as many resets of what it waits for.
        client.flood.resetsReceived = 0
        let pair = try Pair(client: client, server: Self.settings(resetsSent: 0))
        try pair.exchange()
        for _ in 0..<200 {
            let stream = try pair.client.request(Pair.head)
            try pair.exchange()
            try own.end(stream, of: pair)
            #expect(try pair.exchange().client.contains("closed \(stream) \(own.code)"))
        }
    }

    // ---- the peer's doing ----

    /// A call that is cut because its client does not take the answer.
    @Test func aStreamThatIsCutIsCounted() throws {
        let pair = try Pair(server: Self.settings(resetsSent: 10))
        try pair.exchange()
        func cut() throws {
            let stream = try pair.client.request(Pair.head)
            try pair.exchange()
            pair.server.reset(stream: stream, code: .cancel)
            try pair.exchange()
        }
        for _ in 0..<10 { try cut() }
        #expect { try cut() } throws: { isTooMany($0) }
    }

    /// nghttp2 resets the stream of its own accord.
    @Test func aMistakeThatEndsAStreamIsCounted() throws {
        let pair = try Pair(server: Self.settings(resetsSent: 10))
        try pair.exchange()
        func overflow() throws {
            let stream = try pair.client.request(Pair.head)
            try pair.exchange()
            // WINDOW_UPDATE: what the window has, and this, are more than fit.
            var frame = ByteBuffer(bytes: [0, 0, 4, 8, 0])
            frame.writeInteger(stream)
            frame.writeInteger(Int32.max)
            try pair.server.receive(frame, now: pair.now)
            #expect(try pair.exchange().client.contains("closed \(stream) FLOW_CONTROL_ERROR"))
        }
        for _ in 0..<10 { try overflow() }
        #expect { try overflow() } throws: { isTooMany($0) }
    }

    @Test func streamsBeyondTheLimitAreCountedThoughThePeerReadsNoReset() throws {
        let pair = try Pair(server: Self.settings(resetsSent: 10, streams: 2))
        for _ in 0..<20 { _ = try pair.client.request(Pair.head) }
        #expect { try pair.exchangeNothingBack() } throws: { isTooMany($0) }
    }

    @Test func streamsBeyondTheLimitAreCountedOnce() throws {
        let pair = try Pair(server: Self.settings(resetsSent: 10, streams: 2))
        for _ in 0..<12 { _ = try pair.client.request(Pair.head) }
        #expect(try pair.exchange().client.filter { $0.hasSuffix("REFUSED_STREAM") }.count == 10)
    }

    // ---- the count itself ----

    private static func state(resetsSent: Int) -> SessionState {
        SessionState(role: .server, flood: FloodGuard(settings(resetsSent: resetsSent).flood), lowBytes: 0)
    }

    @Test func aResetThatWasCountedWhenItWasQueuedIsNotCountedWhenItIsSent() {
        var state = Self.state(resetsSent: 1)
        let queued = state.countReset()
        let sent = state.resetSent()
        let unasked = state.resetSent()
        #expect([queued, sent, unasked].map { $0?.limit } == [nil, nil, .ownResets])
    }

    @Test func aResetForOurselvesLetsNoOtherThrough() {
        var state = Self.state(resetsSent: 0)
        state.willResetForOurselves()
        let own = state.resetSent()
        let unasked = state.resetSent()
        #expect([own, unasked].map { $0?.limit } == [nil, .ownResets])
    }
}
