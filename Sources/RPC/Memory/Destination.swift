import NIOCore

/// Where one part of a message arrives, made when its size is known.
///
/// What comes is copied to its place, once; or it is read from the socket straight to its place (`room`), and then only
/// counted. Lives on the loop of its connection until it is full.
struct Destination {
    /// Smaller parts are copied: both the receive buffer and their place stay in a cache, and a read of its own costs more.
    static let smallestToReadInto = 256 << 10

    let size: Int
    private(set) var bytes: ByteBuffer
    /// The memory of `bytes`; nil: a small part.
    private let block: MemoryBlock?

    /// nil: the system has no memory for it.
    init?(size: Int) {
        self.size = size
        if size < BufferPool.smallestMessage {
            block = nil
            bytes = ByteBufferAllocator().buffer(capacity: size)
        } else {
            guard let block = BufferPool.shared.take(capacity: size) else { return nil }
            self.block = block
            bytes = ByteBuffer(block, 0..<size)
        }
    }

    private var missing: Int { size - bytes.readableBytes }
    var isFull: Bool { missing == 0 }

    /// Takes what is missing.
    mutating func take(from input: inout ByteBuffer) {
        guard let slice = input.readSlice(length: min(missing, input.readableBytes)), slice.readableBytes > 0 else {
            return
        }
        if isNext(slice) {
            bytes.moveWriterIndex(forwardBy: slice.readableBytes)
        } else {
            bytes.writeImmutableBuffer(slice)
        }
    }

    /// The next place, at most `count` bytes, as an empty buffer that owns the memory as well: whatever happens to this
    /// message, it can be read into. What it got is to be taken before anything else. nil: a smaller or a full part.
    func room(upTo count: Int) -> ByteBuffer? {
        let count = min(count, missing)
        guard let block, size >= Self.smallestToReadInto, count > 0 else { return nil }
        return ByteBuffer(block, bytes.writerIndex..<bytes.writerIndex + count)
    }

    /// `slice` lies in its place already: it was read to a `room`.
    private func isNext(_ slice: ByteBuffer) -> Bool {
        guard block != nil else { return false }
        // Of `bytes`: if somebody else holds them, writing has copied them, and a room in the block is theirs no more.
        let next = unsafe bytes.withVeryUnsafeBytes { unsafe $0.baseAddress.map { unsafe $0 + bytes.writerIndex } }
        return unsafe slice.withUnsafeReadableBytes { unsafe $0.baseAddress == next }
    }
}
