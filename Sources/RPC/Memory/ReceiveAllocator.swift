import HTTP2
import NIOCore

/// What the socket of one connection is read into: in the middle of a large DATA frame, the place where its bytes belong
/// (`room`); else a buffer that is used again.
///
/// That one is small for a connection that says little, so that an idle one holds little memory. Once a read has filled it,
/// each read gets a large block of the `BufferPool`, and gives it back when its bytes were copied away: so all connections
/// of a loop read into the same block, which stays in the cache, and none holds one. Lives on its connection's loop.
final class ReceiveAllocator: RecvByteBufferAllocator, @unchecked Sendable {
    static let smallBytes = 4 << 10
    /// What a round of the loop costs beside the bytes (three system calls, waking up who sends) is more than that the bytes of
    /// so large a read may miss the cache (benchmarks/rpc/README.md).
    static let largeBlock = 512 << 10
    /// Behind TLS: NIOSSL has what one read brought in a buffer of its own, which grows to twice that and stays as long
    /// as its connection.
    static let largeSealedBlock = 128 << 10
    /// Between two frames of a large message: what comes with the head of the second is copied.
    static let headBytes = 64 << 10 - MemoryBlock.headerBytes
    /// For less, a read of its own costs more than the copy.
    static let smallestRoom = 32 << 10

    private enum Kind { case small, large, head, room }

    private let room: () -> ByteBuffer?
    private let turnTime: () -> TimeAmount
    private var large: ReadSize
    private var isLarge = false
    private var lastRead = 0
    private var hasSmall = false
    /// Of the buffer that was asked for last.
    private var kind = Kind.small
    private var next: ByteBuffer?

    /// Both are asked before each read.
    /// - Parameter turnTime: how long it took to deal with the last one.
    init(
        largeBlock: Int = ReceiveAllocator.largeBlock, turnTime: @escaping () -> TimeAmount = { .zero },
        room: @escaping () -> ByteBuffer? = { nil }
    ) {
        large = ReadSize(most: largeBlock)
        self.turnTime = turnTime
        self.room = room
    }

    /// - Parameter isPlain: the handler gets what the socket reads, without TLS.
    convenience init(for handler: HTTP2Handler, isPlain: Bool) {
        self.init(
            largeBlock: isPlain ? Self.largeBlock : Self.largeSealedBlock,
            turnTime: { [weak handler] in handler?.turnTime ?? .zero },
            room: { [weak handler] in isPlain ? handler?.room(atLeast: Self.smallestRoom) : nil })
    }

    /// On the loop of `channel`.
    func install(on channel: any Channel) throws {
        try channel.syncOptions?.setOption(.recvAllocator, value: self)
        // NIO holds one buffer for each read of a turn, and reads to it again: never is one of them to be a room.
        try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
    }

    /// nil: `buffer` gives one that is not used again.
    func nextBufferSize() -> Int? {
        if kind == .large, lastRead > 0 { large.took(lastRead, in: turnTime()) }
        lastRead = 0
        next = hasSmall ? room() : nil
        kind = next != nil ? .room : kind == .room ? .head : isLarge ? .large : .small
        return kind == .small ? Self.smallBytes : nil
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        if let room = next.take() { return room }
        switch kind {
        case .large: return BufferPool.shared.buffer(capacity: large.bytes)
        case .head: return BufferPool.shared.buffer(capacity: Self.headBytes)
        case .small, .room:
            hasSmall = true
            return allocator.buffer(capacity: Self.smallBytes)
        }
    }

    /// - Returns: true: where there is no size, NIO is to ask for a buffer.
    func record(actualReadBytes: Int) -> Bool {
        lastRead = actualReadBytes
        if kind == .small, actualReadBytes >= Self.smallBytes { isLarge = true }
        return true
    }
}
