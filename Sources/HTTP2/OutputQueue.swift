import NIOCore

/// Bytes for the socket: small ones are joined, large ones stay slices of their owners' buffers, for one `writev`.
struct OutputQueue {
    /// Below this, copying is cheaper than one more entry of `writev`.
    static let copyLimit = 2048
    /// Memory for joined bytes that is kept between two turns, at most.
    private static let keptBytes = 16 << 10

    private enum Piece {
        case joined(Int)
        case slice(ByteBuffer)
    }

    private var joined: [UInt8] = []
    private var pieces: [Piece] = []
    /// Bytes of `joined` that no piece names yet.
    private var open = 0
    private(set) var bytes = 0

    mutating func append(_ raw: UnsafeRawBufferPointer) {
        unsafe joined.append(contentsOf: raw)
        open += raw.count
        bytes += raw.count
    }

    mutating func append(_ piece: StreamOutput.Piece) {
        guard case .buffer(let buffer) = piece, buffer.readableBytes > Self.copyLimit else {
            return unsafe piece.withBytes { unsafe append($0) }
        }
        bytes += buffer.readableBytes
        closeJoined()
        pieces.append(.slice(buffer))
    }

    private mutating func closeJoined() {
        if open > 0 { pieces.append(.joined(open)) }
        open = 0
    }

    /// Hands over everything, in order.
    mutating func drain() -> [ByteBuffer] {
        guard bytes > 0 else { return [] }
        closeJoined()
        var rest = ByteBuffer(bytes: joined)
        var buffers: [ByteBuffer] = []
        buffers.reserveCapacity(pieces.count)
        for piece in pieces {
            switch piece {
            case .joined(let length): if let slice = rest.readSlice(length: length) { buffers.append(slice) }
            case .slice(let buffer): buffers.append(buffer)
            }
        }
        pieces.removeAll(keepingCapacity: pieces.count <= 64)
        joined.removeAll(keepingCapacity: joined.capacity <= Self.keptBytes)
        bytes = 0
        return buffers
    }
}
