import NIOCore
import Testing

@testable import RPC

/// Compressed messages, without a socket.
@Suite struct InflaterTests {
    static func deflated(_ bytes: ByteBuffer, _ compression: Compression) throws -> ByteBuffer {
        var stream = try ZlibStream(deflating: compression)
        var (input, output) = (bytes, ByteBuffer())
        guard case .ended = stream.run(&input, into: &output, upTo: bytes.readableBytes + 1024) else {
            throw RPCError(.internal, "zlib needs more room")
        }
        return output
    }

    private static func inflater(
        _ compression: Compression = .gzip, maxBytes: Int = 4 << 20,
        budget: MemoryBudget = MemoryBudget(limit: 64 << 20)
    ) -> Inflater {
        Inflater(compression: compression, maxBytes: maxBytes, budget: budget)
    }

    /// Every byte differs from most others, so that it does not shrink to nothing.
    private static func noise(_ count: Int) -> ByteBuffer {
        var state: UInt64 = 88_172_645_463_325_252
        return ByteBuffer(
            bytes: (0..<count).map { _ in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return UInt8(truncatingIfNeeded: state)
            })
    }

    @Test(arguments: [Compression.gzip, .deflate], [0, 1, 100, 70_000, 3_000_000])
    func messagesOfAnySizeComeBack(_ compression: Compression, _ count: Int) throws {
        for message in [Self.noise(count), ByteBuffer(repeating: 0, count: count)] {
            let inflated = try Self.inflater(compression).inflate(Self.deflated(message, compression))
            #expect(inflated.message == message)
        }
    }

    @Test func theFormatsAreThoseOfTheirNames() throws {
        let text = ByteBuffer(string: "hello")
        #expect(try Self.deflated(text, .gzip).getBytes(at: 0, length: 2) == [0x1f, 0x8b])
        // zlib's header, RFC 1950: method 8, window 32 KiB.
        #expect(try Self.deflated(text, .deflate).getBytes(at: 0, length: 1) == [0x78])
        for (sent, read) in [(Compression.gzip, Compression.deflate), (.deflate, .gzip)] {
            let error = #expect(throws: RPCError.self) {
                try Self.inflater(read).inflate(Self.deflated(text, sent))
            }
            #expect(error?.message == "\(read.rawValue) message is damaged")
            #expect(error?.code == .internal)
        }
    }

    @Test func aMessageAsLongAsTheLimitIsTakenAndOneMoreByteIsNot() throws {
        let inflater = Self.inflater(maxBytes: 100_000)
        #expect(try inflater.inflate(Self.deflated(Self.noise(100_000), .gzip)).message.readableBytes == 100_000)
        let error = #expect(throws: RPCError.self) {
            try inflater.inflate(Self.deflated(Self.noise(100_001), .gzip))
        }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.limit == .messageBytes)
    }

    @Test func aBombStopsAtTheLimitAndLetsItsMemoryGo() throws {
        let budget = MemoryBudget(limit: 64 << 20)
        let bomb = try Self.deflated(ByteBuffer(repeating: 0, count: 200 << 20), .gzip)
        #expect(bomb.readableBytes < 1 << 20)
        let error = #expect(throws: RPCError.self) {
            try Self.inflater(maxBytes: 1 << 20, budget: budget).inflate(bomb)
        }
        #expect(error?.code == .resourceExhausted)
        #expect(budget.used == 0)
    }

    @Test func membersAfterTheFirstAreRefusedAtOnce() throws {
        let member = try Self.deflated(ByteBuffer(string: "x"), .gzip)
        var thousand = ByteBuffer()
        for _ in 0..<1000 { thousand.writeImmutableBuffer(member) }
        for tail in [thousand, ByteBuffer(bytes: [0])] {
            let message = ByteBuffer(bytes: Array(member.readableBytesView) + Array(tail.readableBytesView))
            let error = #expect(throws: RPCError.self) { try Self.inflater().inflate(message) }
            #expect(error?.message == "gzip message has bytes after its end")
            #expect(error?.code == .internal)
        }
    }

    @Test func everyCutIsRefused() throws {
        let whole = try Self.deflated(ByteBuffer(string: "hello, hello, hello"), .gzip)
        for length in 0..<whole.readableBytes {
            let cut = try #require(whole.getSlice(at: 0, length: length))
            let error = #expect(throws: RPCError.self) { try Self.inflater().inflate(cut) }
            #expect(error?.message == "gzip message ends too early")
        }
    }

    @Test func noFlippedBitGoesBeyondTheLimitOrUnnoticed() throws {
        let text = ByteBuffer(string: String(repeating: "abcdefgh", count: 100))
        for compression in [Compression.gzip, .deflate] {
            let whole = try Self.deflated(text, compression)
            for bit in 0..<whole.readableBytes * 8 {
                var bytes = Array(whole.readableBytesView)
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                // Time and name in gzip's header may change; the text may not.
                if let read = try? Self.inflater(compression, maxBytes: 2000).inflate(ByteBuffer(bytes: bytes)) {
                    #expect(read.message == text)
                }
            }
        }
    }

    @Test func whatIsInflatedIsReservedAsLongAsItLives() throws {
        let budget = MemoryBudget(limit: 8 << 20)
        let compressed = try Self.deflated(ByteBuffer(repeating: 0, count: 1 << 20), .gzip)
        var payload = Payload(compressed)
        payload.inflater = Self.inflater(budget: budget)
        var inflated: Payload? = try payload.inflated()
        #expect(inflated?.wasCompressed == true)
        #expect(budget.used >= 1 << 20)
        withExtendedLifetime(inflated) {}
        inflated = nil
        #expect(budget.used == 0)
    }

    @Test func anAttachmentStaysBesideItsCompressedMessageAndIsReservedWithIt() throws {
        let budget = MemoryBudget(limit: 8 << 20)
        let text = ByteBuffer(string: "the message")
        var payload = Payload(
            try Self.deflated(text, .gzip), attachment: ByteBuffer(repeating: 5, count: 100_000))
        payload.lease = budget.reserve(100_000)
        payload.inflater = Self.inflater(budget: budget)
        let inflated = try payload.inflated()
        payload = Payload(ByteBuffer())
        #expect(inflated.message == text)
        #expect(inflated.attachment?.readableBytes == 100_000)
        #expect(budget.used >= 100_000)
        withExtendedLifetime(inflated) {}
    }

    @Test func aFullBudgetRefusesWhatHasNoRoom() throws {
        let budget = MemoryBudget(limit: 1 << 20)
        let held = budget.reserve(900 << 10)
        let compressed = try Self.deflated(ByteBuffer(repeating: 0, count: 1 << 20), .gzip)
        let error = #expect(throws: RPCError.self) { try Self.inflater(budget: budget).inflate(compressed) }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.limit == .memoryBudget)
        #expect(budget.used == 900 << 10)
        withExtendedLifetime(held) {}
    }

    @Test func whatDoesNotShrinkGoesAsItIs() throws {
        for message in [ByteBuffer(), ByteBuffer(string: "x"), Self.noise(10_000)] {
            let payload = try Payload(message).deflated(as: .gzip)
            #expect(!payload.isDeflated)
            #expect(payload.message == message)
        }
        #expect(try Payload(ByteBuffer(repeating: 1, count: 100)).deflated(as: .gzip).isDeflated)
    }

    @Test(arguments: [
        (nil, false), ("", false), ("identity", false), ("gzip", true), ("identity, deflate, gzip", true),
        ("identity,gzip", true), ("xgzip", false), ("br,  gzip ", true),
    ])
    func thePeersListIsRead(_ header: String?, _ takesGzip: Bool) {
        #expect(Compression.gzip.isAccepted(by: header) == takesGzip)
        #expect(Compression.identity.isAccepted(by: header))
    }

    @Test func theFirstAnswerFixesTheCompressionOfItsCall() {
        let compression = ResponseCompression(.gzip)
        compression.choose(.deflate)
        #expect(compression.fix() == .deflate)
        compression.choose(.gzip)
        #expect(compression.fix() == .deflate)
    }
}
