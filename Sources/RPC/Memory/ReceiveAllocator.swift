import NIOCore

/// How large the buffers are that a socket is read into: small for a connection that says little, so that an idle one
/// holds little memory, and large for good once a read has filled one.
struct ReceiveAllocator: RecvByteBufferAllocator {
    static let smallBytes = 4 << 10

    private let largeBytes: Int
    private var bytes = smallBytes

    init(largeBytes: Int) { self.largeBytes = max(largeBytes, Self.smallBytes) }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: bytes) }

    func nextBufferSize() -> Int? { bytes }

    mutating func record(actualReadBytes: Int) -> Bool {
        guard bytes < largeBytes, actualReadBytes >= bytes else { return false }
        bytes = largeBytes
        return true
    }
}
