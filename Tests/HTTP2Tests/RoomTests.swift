import NIOCore
import NIOEmbedded
import Testing

@testable import HTTP2

@Suite struct RoomTests {
    /// Has room for whatever comes.
    private final class Endless: HTTP2Delegate {
        private(set) var data = ByteBuffer()
        private(set) var asked = 0

        func received(_ event: SessionEvent) {}
        func received(stream: Int32, data: ByteBuffer) { self.data.writeImmutableBuffer(data) }
        func ended(_ reason: (any Error)?) {}
        func room(stream: Int32, upTo bytes: Int) -> ByteBuffer? {
            asked = bytes
            return ByteBufferAllocator().buffer(capacity: bytes)
        }
    }

    @Test func theRestOfAFrameIsReadWithTheHeadOfTheNext() throws {
        let frame = 1 << 14
        let head = 9
        let message = ByteBuffer(bytes: (0..<3 * frame).map { UInt8(truncatingIfNeeded: $0 >> 5) })
        let client = try Session(role: .client)
        let stream = try client.request(Pair.head)
        client.send(stream: stream, message)
        client.finish(stream: stream)
        var input = ByteBuffer()
        while try client.produce({ input.writeImmutableBuffer($0) }) {}

        let delegate = Endless()
        let handler = HTTP2Handler(
            session: try Session(role: .server), delegate: delegate, handshakeTimeout: .seconds(5))
        let channel = EmbeddedChannel(handler: handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        // Up to the middle of the first frame of the message.
        let before = input.readableBytes - 3 * (frame + head) + head + frame / 2
        try channel.writeInbound(input.readSlice(length: before))
        var received = frame / 2
        for next in [frame / 2 + head, frame + head] {
            #expect(handler.room(atLeast: 1) != nil)
            #expect(delegate.asked == next)
            try channel.writeInbound(input.readSlice(length: next))
            received += next - head
            #expect(delegate.data == message.getSlice(at: 0, length: received))
        }
        #expect(handler.room(atLeast: 1) != nil)
        try channel.writeInbound(input)
        #expect(handler.room(atLeast: 1) == nil)
        #expect(delegate.data == message)
        _ = try? channel.finish()
    }
}
