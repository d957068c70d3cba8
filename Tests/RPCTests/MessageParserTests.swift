import NIOCore
import Testing

@testable import RPC

@Suite struct MessageParserTests {
    static func parser(attachments: Bool = false, inflater: Inflater? = nil) -> MessageParser {
        MessageParser(
            takesAttachments: attachments, inflater: inflater, maxMessageBytes: 1000, maxAttachmentBytes: 5000)
    }

    /// What the parser says of `bytes`, cut into pieces of `step` bytes.
    static func parse(_ bytes: [UInt8], step: Int, _ parser: MessageParser) -> (messages: [String], error: RPCError?) {
        var parser = parser
        var messages: [String] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            var input = ByteBuffer(bytes: bytes[start..<min(start + step, bytes.count)])
            steps: while true {
                switch parser.next(&input) {
                case .needsMore: break steps
                case .sized:
                    do { try parser.begin() } catch { return (messages, error) }
                case .message(let payload):
                    messages.append(payload.text + (payload.attachment.map { "+" + String(buffer: $0) } ?? ""))
                case .failed(let error): return (messages, error)
                }
            }
            #expect(input.readableBytes == 0)
        }
        return (messages, nil)
    }

    @Test(arguments: 1...20)
    func anyCutGivesTheSameMessages(_ step: Int) {
        let bytes: [UInt8] =
            [0, 0, 0, 0, 3] + Array("abc".utf8) + [0, 0, 0, 0, 0] + [0, 0, 0, 0, 1] + Array("d".utf8)
        #expect(Self.parse(bytes, step: step, Self.parser()).messages == ["abc", "", "d"])
    }

    @Test(arguments: 1...24)
    func anyCutGivesTheSameAttachments(_ step: Int) {
        let bytes: [UInt8] =
            [0x80, 0, 0, 0, 2, 0, 0, 0, 4] + Array("hipixs".utf8) + [0, 0, 0, 0, 1] + Array("p".utf8)
            + [0x80, 0, 0, 0, 0, 0, 0, 0, 0] + [0x80, 0, 0, 0, 0, 0, 0, 0, 1] + Array("x".utf8)
        #expect(Self.parse(bytes, step: step, Self.parser(attachments: true)).messages == ["hi+pixs", "p", "+", "+x"])
    }

    @Test func writersAndParsersAgree() {
        for (attachments, expected) in [(true, "m+pixels"), (false, "mPREpixels")] {
            var bytes: [UInt8] = []
            let payload = Payload(
                ByteBuffer(string: "m"), preamble: ByteBuffer(string: "PRE"), attachment: ByteBuffer(string: "pixels"))
            let framing = payload.write(attachments: attachments) { bytes += Array($0.readableBytesView) }
            #expect(payload.byteCount + framing == bytes.count)
            #expect(Self.parse(bytes, step: 3, Self.parser(attachments: attachments)).messages == [expected])
        }
    }

    @Test(arguments: [UInt8(2), 0x40, 0x80, 0x81, 0xff])
    func flagsThatTheCallDoesNotKnowAreInternal(_ flags: UInt8) {
        #expect(Self.parse([flags, 0, 0, 0, 0], step: 5, Self.parser()).error?.code == .internal)
    }

    @Test func compressedMessagesNeedAnEncodingAndAreHandedOnAsTheyAre() throws {
        let bytes: [UInt8] = [1, 0, 0, 0, 1, 7]
        #expect(Self.parse(bytes, step: 6, Self.parser()).error?.code == .internal)
        let inflater = Inflater(compression: .gzip, maxBytes: 10, budget: MemoryBudget(limit: 1000))
        var parser = Self.parser(attachments: true, inflater: inflater)
        var input = ByteBuffer(bytes: bytes + [0, 0, 0, 0, 1, 8] + [0x81, 0, 0, 0, 1, 0, 0, 0, 1, 9, 10])
        for (message, attachment, isCompressed) in [(UInt8(7), UInt8?.none, true), (8, nil, false), (9, 10, true)] {
            guard case .sized = parser.next(&input) else { return #expect(Bool(false), "no prefix") }
            try parser.begin()
            guard case .message(let payload) = parser.next(&input) else { return #expect(Bool(false), "no message") }
            #expect(payload.message == ByteBuffer(bytes: [message]))
            #expect(payload.attachment == attachment.map { ByteBuffer(bytes: [$0]) })
            #expect((payload.inflater != nil) == isCompressed)
        }
    }

    @Test func lengthsBeyondTheLimitsAreRefusedAtOnce() {
        let message = Self.parse([0, 0xff, 0xff, 0xff, 0xff], step: 1, Self.parser())
        #expect(message.error?.message == "message size 4294967295 exceeds limit 1000")
        let attachment = Self.parse([0x80, 0, 0, 0, 1, 0, 0, 0x13, 0x89], step: 1, Self.parser(attachments: true))
        #expect(attachment.error?.message == "attachment size 5001 exceeds limit 5000")
        #expect(attachment.error?.code == .resourceExhausted)
    }
}
