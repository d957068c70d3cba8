import NIOCore
import Testing

@testable import RPC

/// A body that came as a whole is understood as the parser would, or left to it.
@Suite struct OnlyPayloadTests {
    private static let plain: [UInt8] = [0, 0, 0, 0, 3, 1, 2, 3]
    private static let attached: [UInt8] = [0x80, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 7, 8, 9]

    private static func read(_ body: [UInt8], attachments: Bool = true, maxBytes: Int = 100) -> [[UInt8]]? {
        // Not at the start of its memory.
        var buffer = ByteBuffer(bytes: [0xff, 0xff] + body)
        buffer.moveReaderIndex(forwardBy: 2)
        guard let payload = Framing.onlyPayload(in: buffer, attachments: attachments, maxBytes: maxBytes)?.copied()
        else { return nil }
        return ([payload.message] + [payload.attachment].compactMap { $0 }).map { Array($0.readableBytesView) }
    }

    @Test func wholeMessagesAreRead() {
        #expect(Self.read(Self.plain) == [[1, 2, 3]])
        #expect(Self.read(Self.plain, attachments: false) == [[1, 2, 3]])
        #expect(Self.read(Self.attached) == [[1, 2], [7, 8, 9]])
        #expect(Self.read([0, 0, 0, 0, 0]) == [[]])
        #expect(Self.read([0x80, 0, 0, 0, 0, 0, 0, 0, 0]) == [[], []])
    }

    @Test func allElseIsLeftToTheParser() {
        for body in [Self.plain, Self.attached] {
            for length in 0..<body.count { #expect(Self.read(Array(body.prefix(length))) == nil) }
            #expect(Self.read(body + [0]) == nil)
            for flags: UInt8 in [1, 2, 0x81, 0x82, 0xff] { #expect(Self.read([flags] + body.dropFirst()) == nil) }
            #expect(Self.read(body, maxBytes: body.count - (body == Self.plain ? 5 : 9)) != nil)
            #expect(Self.read(body, maxBytes: body.count - (body == Self.plain ? 6 : 10)) == nil)
        }
        #expect(Self.read(Self.attached, attachments: false) == nil)
        #expect(Self.read([0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) == nil)
    }
}
