import NIOCore

/// Bytes for the socket: small ones are joined, large ones stay slices of their owners' buffers, for one `writev`.
struct OutputQueue {
    /// Below this, copying is cheaper than one more entry of `writev`.
    static let copyLimit = 2048

    private enum Piece {
        case joined(Int)
        case slice(ByteBuffer)
    }

    private var joined = ByteBufferAllocator().buffer(capacity: 4096)
    private var pieces: [Piece] = []
    /// Bytes of `joined` that no piece names yet.
    private var open = 0
    private(set) var bytes = 0

    mutating func append(_ raw: UnsafeRawBufferPointer) {
        open += unsafe joined.writeBytes(raw)
        bytes += raw.count
    }

    mutating func append(_ buffer: ByteBuffer) {
        bytes += buffer.readableBytes
        if buffer.readableBytes <= Self.copyLimit {
            open += joined.writeImmutableBuffer(buffer)
        } else {
            closeJoined()
            pieces.append(.slice(buffer))
        }
    }

    private mutating func closeJoined() {
        if open > 0 { pieces.append(.joined(open)) }
        open = 0
    }

    /// Hands over everything, in order.
    mutating func drain(_ body: (ByteBuffer) -> Void) {
        closeJoined()
        for piece in pieces {
            switch piece {
            case .joined(let length): if let slice = joined.readSlice(length: length) { body(slice) }
            case .slice(let buffer): body(buffer)
            }
        }
        pieces.removeAll(keepingCapacity: true)
        bytes = 0
        joined.clear(minimumCapacity: 4096)
    }
}
