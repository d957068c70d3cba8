import HTTP2
import NIOCore
import Testing

@testable import RPC

/// What our client makes of answers that no gRPC server gives.
@Suite(.timeLimit(.minutes(5))) struct RawResponseTests {
    private static let message = ByteBuffer(bytes: [0, 0, 0, 0, 1, 7])

    /// Head, one message, then these trailers.
    private static func outcome(trailers: [HeaderField]) async throws -> RPCError? {
        try await FrameServer.outcome { session, stream in
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            session.send(stream: stream, message)
            session.finish(stream: stream, trailers: trailers)
        }
    }

    /// The server has done what was asked, so that nobody may ask again.
    @Test(arguments: [nil, "damaged"])
    func anAnswerThatCannotBeReadIsOne(_ message: String?) async throws {
        let error = try await FrameServer.outcome { session, stream in
            let head = FrameServer.head + [HeaderField("grpc-encoding", "gzip")]
            session.respond(stream: stream, fields: head, endStream: false)
            if let message {
                session.send(stream: stream, ByteBuffer(bytes: [1, 0, 0, 0, UInt8(message.utf8.count)] + message.utf8))
            }
            session.finish(stream: stream, trailers: FrameServer.ok)
        }
        #expect(error?.code == .internal && error?.isCommitted == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("400", StatusCode.internal), ("401", .unauthenticated), ("403", .permissionDenied), ("404", .unimplemented),
        ("429", .unavailable), ("502", .unavailable), ("503", .unavailable), ("504", .unavailable), ("431", .internal),
        ("500", .unknown), ("204", .unknown), ("302", .unknown),
    ])
    func anHTTPStatusIsAStatus(_ status: String, _ code: StatusCode) async throws {
        let error = try await FrameServer.outcome { session, stream in
            session.respond(
                stream: stream, fields: [HeaderField(":status", status), HeaderField("content-type", "text/html")],
                endStream: true)
        }
        #expect(error?.code == code)
        #expect(error?.message == "peer answered with HTTP status \(status)")
    }

    /// As gRPC's `doc/http-grpc-status-mapping.md` has it; with what else the server says of the call.
    @Test(arguments: [("503", "application/grpc"), ("404", "text/html"), ("200", "text/html")])
    func aStatusOfGRPCCountsBeforeThatOfHTTP(_ status: String, _ contentType: String) async throws {
        func outcome(_ code: String) async throws -> RPCError? {
            try await FrameServer.outcome { session, stream in
                let fields = [
                    (":status", status), ("content-type", contentType), ("grpc-status", code), ("grpc-message", "full"),
                    ("grpc-retry-pushback-ms", "-1"),
                ]
                session.respond(stream: stream, fields: fields.map { HeaderField($0.0, $0.1) }, endStream: true)
            }
        }
        let error = try await outcome("8")
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message == "full")
        #expect(error.flatMap { RetryPushback($0.metadata) } == .never)
        // Nothing was answered.
        for code in ["0", "99", "x"] {
            #expect(try await outcome(code)?.message.hasPrefix("peer answered with ") == true)
        }
    }

    @Test(arguments: ["", "text/html", "application/grpcfoo", "application/json"])
    func anotherContentTypeIsUnknown(_ contentType: String) async throws {
        let error = try await FrameServer.outcome { session, stream in
            session.respond(
                stream: stream, fields: [HeaderField(":status", "200"), HeaderField("content-type", contentType)],
                endStream: false)
            session.send(stream: stream, Self.message)
            session.finish(stream: stream, trailers: FrameServer.ok)
        }
        #expect(error?.code == .unknown)
    }

    @Test(arguments: ["999", "-1", "", "17", "1x", "٣"])
    func aStatusThatIsNotKnownIsUnknown(_ text: String) async throws {
        let error = try await Self.outcome(trailers: [HeaderField("grpc-status", text)])
        // What is not ASCII, HTTP/2 refuses.
        #expect(error?.code == .unknown || error?.code == .internal)
    }

    @Test func anEndWithoutAStatusIsUnknown() async throws {
        #expect(try await Self.outcome(trailers: [HeaderField("x-other", "1")])?.code == .unknown)
        let cut = try await FrameServer.outcome { session, stream in
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            session.send(stream: stream, Self.message)
            session.finish(stream: stream)
        }
        #expect(cut?.code == .unknown)
    }

    @Test(arguments: [
        ("100%", "100%"), ("%", "%"), ("%zz ok", "%zz ok"), ("a%2", "a%2"), ("%41%4a%4A", "AJJ"),
        ("%ff", "\u{fffd}"), ("%00", "\0"),
    ])
    func badEscapesInAMessageStay(_ sent: String, _ read: String) async throws {
        let error = try await Self.outcome(
            trailers: [HeaderField("grpc-status", "9"), HeaderField("grpc-message", sent)])
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message == read)
    }

    @Test func aLongMessageOfAStatusIsTakenWithinTheLimitOfMetadata() async throws {
        let long = String(repeating: "m", count: 15 << 10)
        let error = try await Self.outcome(
            trailers: [HeaderField("grpc-status", "9"), HeaderField("grpc-message", long)])
        #expect(error?.message == long)
        let tooLong = try await Self.outcome(
            trailers: [HeaderField("grpc-status", "9"), HeaderField("grpc-message", long + long)])
        #expect(tooLong?.code == .resourceExhausted)
    }

    @Test(arguments: ["x-trace-bin", "grpc-status-details-bin"])
    func bytesThatAreNotBase64FailTheCallAndTheConnectionStays(_ name: String) async throws {
        let bad = HeaderField(name, "A*==")
        let heads: [FrameServer.Script] = [
            { session, stream in
                session.respond(stream: stream, fields: FrameServer.head + [bad], endStream: false)
                session.send(stream: stream, Self.message)
                session.finish(stream: stream, trailers: FrameServer.ok)
            },
            { session, stream in
                session.respond(stream: stream, fields: FrameServer.head, endStream: false)
                session.send(stream: stream, Self.message)
                session.finish(stream: stream, trailers: FrameServer.ok + [bad])
            },
            { session, stream in
                session.respond(stream: stream, fields: FrameServer.head + FrameServer.ok + [bad], endStream: true)
            },
        ]
        for script in heads {
            try await FrameServer.with(script) { connection in
                for _ in 0..<2 {
                    let error = await failure { _ = try await connection.unary("/a/b", Payload("x")) }
                    #expect(error?.code == .internal)
                    #expect(error?.message == "metadata '\(name)' is not base64")
                    #expect(connection.isUsable)
                }
            }
        }
    }

    // ---- messages ----

    @Test func aMessageOverTheLimitIsRefusedByItsPrefixAndTheConnectionStays() async throws {
        var client = ClientConfiguration.patient
        client.maxMessageBytes = 1000
        try await FrameServer.with(client: client) { session, stream in
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            session.send(stream: stream, ByteBuffer(bytes: [0, 0, 0, 3, 0xe9]))
        } body: { connection in
            for _ in 0..<2 {
                let error = await failure { _ = try await connection.unary("/a/b", Payload("x")) }
                #expect(error?.code == .resourceExhausted)
                #expect(error?.message == "message size 1001 exceeds limit 1000")
            }
            #expect(connection.isUsable)
        }
    }

    @Test(arguments: [
        [UInt8(0), 0, 0, 0, 9, 1], [0, 0, 0], [2, 0, 0, 0, 0], [1, 0, 0, 0, 1, 9], [0x80, 0, 0, 0, 0],
    ])
    func brokenMessagesAreInternal(_ bytes: [UInt8]) async throws {
        let error = try await FrameServer.outcome { session, stream in
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            session.send(stream: stream, ByteBuffer(bytes: bytes))
            session.finish(stream: stream, trailers: FrameServer.ok)
        }
        #expect(error?.code == .internal)
    }

    @Test(arguments: [0, 2])
    func aUnaryCallWantsOneMessage(_ count: Int) async throws {
        let error = try await FrameServer.outcome { session, stream in
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            for _ in 0..<count { session.send(stream: stream, Self.message) }
            session.finish(stream: stream, trailers: FrameServer.ok)
        }
        #expect(error?.code == .internal)
    }

    @Test(arguments: ["gzip", "br"])
    func anEncodingThatWasNotAcceptedIsInternal(_ encoding: String) async throws {
        var client = ClientConfiguration.patient
        client.acceptedCompression = [.deflate]
        let error = try await FrameServer.outcome(client: client) { session, stream in
            session.respond(
                stream: stream, fields: FrameServer.head + [HeaderField("grpc-encoding", encoding)], endStream: false)
            session.send(stream: stream, Self.message)
            session.finish(stream: stream, trailers: FrameServer.ok)
        }
        #expect(error?.code == .internal)
        #expect(error?.message == "grpc-encoding '\(encoding)' is not supported")
    }

    @Test func anEndlessStreamIsHeldBackAndEndsWhenItIsCancelled() async throws {
        try await FrameServer.with { session, stream in
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            // More than all windows.
            for _ in 0..<1000 {
                var large = ByteBuffer(bytes: [0, 0, 1, 0, 0])
                large.writeRepeatingByte(1, count: 1 << 16)
                session.send(stream: stream, large)
            }
        } body: { connection in
            let call = try await connection.open("/a/b")
            var count = 0
            for try await _ in call.responses {
                count += 1
                if count == 20 { break }
            }
            call.cancel()
            #expect(await failure { _ = try await collect(call.responses) }?.code == .cancelled)
            #expect(connection.isUsable)
        }
    }

    // ---- ends ----

    /// So a server ends a call that it has answered while the client still sends (RFC 9113, section 8.1).
    @Test func aResetWithoutErrorAfterTheStatusLeavesTheAnswer() async throws {
        try await FrameServer.with { session, stream in
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            session.send(stream: stream, Self.message)
            session.finish(stream: stream, trailers: FrameServer.ok)
        } body: { connection in
            for _ in 0..<20 {
                // Never finishes sending: the session resets the stream with NO_ERROR.
                let call = try await connection.open("/a/b")
                #expect(try await collect(call.responses) == ["\u{7}"])
            }
            #expect(connection.isUsable)
        }
    }

    @Test func anAnswerToACancelledCallHurtsNobody() async throws {
        let asked = Signal()
        try await FrameServer.with { session, stream in
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            session.send(stream: stream, Self.message)
            if stream > 1 { session.finish(stream: stream, trailers: FrameServer.ok) }
            asked.fire()
        } body: { connection in
            let call = try await connection.open("/a/b")
            await asked.wait()
            call.cancel()
            #expect(await failure { _ = try await collect(call.responses) }?.code == .cancelled)
            let answer = try await connection.unary("/a/b", Payload("x"))
            #expect(answer.payload.message.readableBytes == 1)
        }
    }
}
