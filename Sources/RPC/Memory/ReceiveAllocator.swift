import HTTP2
import NIOCore

/// What the socket of one connection is read into: in the middle of a large DATA frame, the place where its bytes belong
/// (`room`); else a buffer that is used again.
///
/// That one is small for a connection that says little, so that an idle one holds little memory, and large for good once
/// a read has filled one. Lives on its connection's loop.
final class ReceiveAllocator: RecvByteBufferAllocator, @unchecked Sendable {
    static let smallBytes = 4 << 10
    /// Larger ones miss the cache, smaller ones cost more calls.
    static let largeBytes = 128 << 10
    /// Between two frames of a large message: what comes with the head of the second is copied.
    static let headBytes = 64 << 10
    /// For less, a read of its own costs more than the copy.
    static let smallestRoom = 32 << 10

    private enum Kind { case usual, head, room }

    private let room: () -> ByteBuffer?
    private var usualBytes = smallBytes
    private var hasUsual = false
    /// Of the buffer that was asked for last.
    private var kind = Kind.usual
    private var next: ByteBuffer?

    /// - Parameter room: asked before each read.
    init(room: @escaping () -> ByteBuffer? = { nil }) { self.room = room }

    /// - Parameter isPlain: the handler gets what the socket reads, without TLS.
    convenience init(for handler: HTTP2Handler, isPlain: Bool) {
        self.init { [weak handler] in isPlain ? handler?.room(atLeast: Self.smallestRoom) : nil }
    }

    /// On the loop of `channel`.
    func install(on channel: any Channel) throws {
        try channel.syncOptions?.setOption(.recvAllocator, value: self)
        // NIO holds one buffer for each read of a turn, and reads to it again: never is one of them to be a room.
        try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
    }

    /// nil: `buffer` gives one that is not used again.
    func nextBufferSize() -> Int? {
        next = hasUsual ? room() : nil
        kind = next != nil ? .room : kind == .room ? .head : .usual
        return kind == .usual ? usualBytes : nil
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        if let room = next.take() { return room }
        guard kind == .usual else { return allocator.buffer(capacity: Self.headBytes) }
        hasUsual = true
        return allocator.buffer(capacity: usualBytes)
    }

    /// - Returns: true: where there is no size, NIO is to ask for a buffer.
    func record(actualReadBytes: Int) -> Bool {
        if kind == .usual, actualReadBytes >= usualBytes { usualBytes = Self.largeBytes }
        return true
    }
}
