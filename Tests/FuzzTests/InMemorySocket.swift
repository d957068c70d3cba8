import HTTP2
import NIOCore
import NIOEmbedded

/// Hands bytes to a connection as its socket does: to the place where they belong, if there is one, in pieces of any size.
struct InMemorySocket {
    /// The rest of a frame that the input leaves open.
    private static let restBytes = 300 << 10

    let channel: EmbeddedChannel
    let handler: HTTP2Handler?

    /// - Parameter piece: what is read at once.
    func receive(_ bytes: ByteBuffer, pieces piece: Int) {
        var rest = bytes
        while rest.readableBytes > 0, read(&rest, upTo: piece) > 0 {}
        // The peer goes on with zeros, so that large messages end.
        var zeros = ByteBuffer(repeating: 0, count: Self.restBytes)
        while handler?.room(atLeast: 1) != nil, read(&zeros, upTo: Self.restBytes / 5) > 0 {}
    }

    private func read(_ rest: inout ByteBuffer, upTo piece: Int) -> Int {
        guard channel.isActive else { return 0 }
        var buffer = handler?.room(atLeast: 1) ?? ByteBuffer()
        let room = buffer.capacity > 0 ? buffer.writableBytes : .max
        guard var data = rest.readSlice(length: min(piece, room, rest.readableBytes)) else { return 0 }
        let count = buffer.writeBuffer(&data)
        try? channel.writeInbound(buffer)
        channel.embeddedEventLoop.run()
        return count
    }
}
