import HTTP2
import NIOCore
import Synchronization
import Testing

@testable import RPC

/// Compressed calls, over a real socket.
@Suite(.timeLimit(.minutes(5))) struct CompressionTests {
    static let text = String(repeating: "frames and boxes, ", count: 5000)

    /// Whether the request was compressed, then the request itself.
    static let describe: @Sendable (CallContext, Payload) -> UnaryResponse = { _, request in
        UnaryResponse(Payload("\(request.wasCompressed) " + request.text))
    }

    static func options(_ compression: Compression) -> CallOptions {
        CallOptions(deadline: .after(.seconds(60)), compression: compression)
    }

    @Test(arguments: [Compression.gzip, .deflate], ["Later", "Now"])
    func aUnaryRequestIsCompressed(_ compression: Compression, _ method: String) async throws {
        try await Loopback.with([
            "Later": .unary { Self.describe($0, $1) }, "Now": .immediate { Self.describe($0, $1) },
        ]) { loopback in
            var request = Payload(Self.text)
            var answer = try await loopback.connection.unary(
                loopback.path(method), request, options: Self.options(compression))
            #expect(answer.payload.text == "true " + Self.text)
            #expect(!answer.payload.wasCompressed)
            request.compresses = false
            answer = try await loopback.connection.unary(
                loopback.path(method), request, options: Self.options(compression))
            #expect(answer.payload.text == "false " + Self.text)
        }
    }

    @Test(arguments: [Compression.gzip, .deflate])
    func theHandlerChoosesTheCompressionOfItsAnswer(_ compression: Compression) async throws {
        try await Loopback.with([
            "Pack": .unary { _, request in UnaryResponse(request, compression: compression) },
            "Now": .immediate { _, request in UnaryResponse(request, compression: compression) },
            "Plain": .unary { _, request in UnaryResponse(request) },
        ]) { loopback in
            for (method, packed) in [("Pack", true), ("Now", true), ("Plain", false)] {
                let answer = try await loopback.connection.unary(loopback.path(method), Payload(Self.text))
                #expect(answer.payload.text == Self.text)
                #expect(answer.payload.wasCompressed == packed)
            }
        }
    }

    @Test func theServersDefaultHoldsUntilAHandlerWantsNone() async throws {
        var server = ServerConfiguration()
        server.responseCompression = .gzip
        try await Loopback.with(
            [
                "Default": .unary { _, request in UnaryResponse(request) },
                "None": .unary { _, request in UnaryResponse(request, compression: .identity) },
            ], server: server
        ) { loopback in
            for (method, packed) in [("Default", true), ("None", false)] {
                let answer = try await loopback.connection.unary(loopback.path(method), Payload(Self.text))
                #expect(answer.payload.wasCompressed == packed)
            }
        }
    }

    @Test func aClientThatTakesNoneGetsNone() async throws {
        var client = ClientConfiguration.patient
        client.acceptedCompression = []
        try await Loopback.with(
            [
                "Pack": .unary { _, request in UnaryResponse(request, compression: .gzip) },
                "Stream": .stream { _, requests, responses in
                    responses.setCompression(.gzip)
                    for try await request in requests { try await responses.write(request) }
                },
            ], client: client
        ) { loopback in
            let answer = try await loopback.connection.unary(loopback.path("Pack"), Payload(Self.text))
            #expect(!answer.payload.wasCompressed)
            let call = try await loopback.connection.open(loopback.path("Stream"))
            try await call.send(Payload(Self.text))
            call.finishSending()
            for try await answer in call.responses { #expect(!answer.wasCompressed) }
        }
    }

    @Test func streamsAreCompressedMessageByMessage() async throws {
        try await Loopback.with([
            "Echo": .stream { _, requests, responses in
                responses.setCompression(.deflate)
                for try await request in requests {
                    var answer = Payload("\(request.wasCompressed) " + request.text)
                    answer.compresses = !request.wasCompressed
                    try await responses.write(answer)
                }
            }
        ]) { loopback in
            let call = try await loopback.connection.open(loopback.path("Echo"), options: Self.options(.gzip))
            for compresses in [true, false, true] {
                var request = Payload(Self.text)
                request.compresses = compresses
                try await call.send(request)
            }
            call.finishSending()
            var seen: [String] = []
            for try await answer in call.responses {
                seen.append("\(answer.wasCompressed) \(answer.text.prefix(5))")
            }
            #expect(seen == ["false true ", "true false", "false true "])
        }
    }

    @Test func anAttachmentTravelsAsItIsInACompressedCall() async throws {
        try await Loopback.with(["D": AttachmentTests.describe], server: .attaching) { loopback in
            _ = try await loopback.unary("D")
            let payload = Payload(ByteBuffer(string: Self.text), attachment: AttachmentTests.pixels(100))
            let answer = try await loopback.connection.unary(
                loopback.path("D"), payload, options: Self.options(.gzip))
            #expect(answer.payload.text == "true \(Self.text.utf8.count) 100 as sent")
        }
    }

    // ---- what may not be ----

    private static func ask(
        encoding: String?, flag: UInt8, _ message: ByteBuffer, server: ServerConfiguration = .init(),
        handler: RPCHandler = .unary { _, request in UnaryResponse(request) }
    ) async throws -> [String: String] {
        var answer: [String: String] = [:]
        try await Loopback.serving(["Echo": handler], server: server) { server in
            var fields = RawClient.head("/test.Service/Echo")
            if let encoding { fields.append(HeaderField("grpc-encoding", encoding)) }
            var body = ByteBuffer(bytes: [flag])
            body.writeInteger(UInt32(message.readableBytes))
            body.writeImmutableBuffer(message)
            answer = try await RawClient.request(to: server.address, fields, body: body)
        }
        return answer
    }

    @Test(arguments: [nil, "identity"])
    func aCompressedMessageNeedsAnEncoding(_ encoding: String?) async throws {
        let answer = try await Self.ask(encoding: encoding, flag: 1, ByteBuffer(string: "x"))
        #expect(answer["grpc-status"] == "13")
    }

    @Test(arguments: ["br", "snappy", "GZIP", ""])
    func anUnknownEncodingIsUnimplementedAndTheKnownOnesAreTold(_ encoding: String) async throws {
        let answer = try await Self.ask(encoding: encoding, flag: 0, ByteBuffer(string: "x"))
        #expect(answer["grpc-status"] == "12")
        #expect(answer["grpc-accept-encoding"] == "gzip,deflate")
    }

    @Test func aServerMayTakeFewerEncodings() async throws {
        var server = ServerConfiguration()
        server.acceptedCompression = [.deflate]
        let answer = try await Self.ask(encoding: "gzip", flag: 0, ByteBuffer(string: "x"), server: server)
        #expect(answer["grpc-status"] == "12")
        #expect(answer["grpc-accept-encoding"] == "deflate")
    }

    @Test func theFirstAnswerOfAConnectionTellsWhatIsTaken() async throws {
        let answer = try await Self.ask(encoding: nil, flag: 0, ByteBuffer(string: "x"))
        #expect(answer["grpc-status"] == "0")
        #expect(answer["grpc-accept-encoding"] == "gzip,deflate")
        #expect(answer["grpc-encoding"] == nil)
    }

    @Test(arguments: [true, false])
    func damagedBytesAreInternalAndTheHandlerNeverSeesThem(_ isStream: Bool) async throws {
        let hasRun = Counter()
        let handler: RPCHandler =
            isStream
            ? .stream { _, requests, _ in
                for try await _ in requests { hasRun.add() }
            }
            : .unary { _, request in
                hasRun.add()
                return UnaryResponse(request)
            }
        let answer = try await Self.ask(encoding: "gzip", flag: 1, ByteBuffer(string: "not gzip"), handler: handler)
        #expect(answer["grpc-status"] == "13")
        #expect(answer["grpc-message"] == "gzip message is damaged")
        #expect(hasRun.value == 0)
    }

    @Test(arguments: ["Later", "Now", "Stream"])
    func whatIsInflatedCountsInTheBudgetWhileItsHandlerHoldsIt(_ method: String) async throws {
        let budget = MemoryBudget(limit: 64 << 20)
        let size = 3 << 20
        /// Whether it came compressed, its size, and whether the budget knows of it.
        @Sendable func seen(_ request: Payload) -> Payload {
            Payload("\(request.wasCompressed) \(request.message.readableBytes) \(budget.used >= size)")
        }
        try await Loopback.with(
            [
                "Later": .unary { _, request in UnaryResponse(seen(request)) },
                "Now": .immediate { _, request in UnaryResponse(seen(request)) },
                "Stream": .stream { _, requests, responses in
                    for try await request in requests { try await responses.write(seen(request)) }
                },
            ], serverBudget: budget
        ) { loopback in
            // A few kilobytes on the wire, below what is reserved before it comes.
            let call = try await loopback.connection.open(loopback.path(method), options: Self.options(.gzip))
            try await call.send(Payload(ByteBuffer(repeating: 0, count: size)))
            call.finishSending()
            #expect(try await collect(call.responses) == ["true \(size) true"])
        }
        #expect(budget.used == 0)
    }

    @Test func aBombIsResourceExhausted() async throws {
        let bomb = try InflaterTests.deflated(ByteBuffer(repeating: 0, count: 64 << 20), .gzip)
        let answer = try await Self.ask(encoding: "gzip", flag: 1, bomb)
        #expect(answer["grpc-status"] == "8")
        #expect(answer["grpc-message"] == "decompressed message size exceeds limit 4194304")
    }

    @Test func aBombInAnAnswerEndsTheCallOfTheClient() async throws {
        var client = ClientConfiguration.patient
        client.maxMessageBytes = 10_000
        let cancelled = Signal()
        try await Loopback.with(
            [
                "One": .unary { _, _ in UnaryResponse(Payload(Self.text), compression: .gzip) },
                "Many": .stream { _, _, responses in
                    responses.setCompression(.gzip)
                    defer { cancelled.fire() }
                    while true { try await responses.write(Payload(Self.text)) }
                },
            ], client: client
        ) { loopback in
            let error = await failure { _ = try await loopback.unary("One") }
            #expect(error?.code == .resourceExhausted)
            let call = try await loopback.connection.open(loopback.path("Many"))
            #expect(await failure { _ = try await collect(call.responses) }?.code == .resourceExhausted)
            await cancelled.wait()
        }
    }
}
