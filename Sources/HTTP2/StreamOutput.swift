import NIOCore

/// What waits to be sent on one stream: a few bytes, slices of the callers' buffers, then trailers.
///
/// Short buffers behind others are copied together: each has about 150 bytes for its keeping, which do not count as
/// what waits, and messages of five bytes would take thirty times what may.
struct StreamOutput {
    /// So many bytes of them are one buffer.
    static let joinedBytes = 4096

    enum Trailers {
        /// The last DATA frame ends the stream.
        case none
        case fields([HeaderField])
        case prepared(PreparedFields)
    }

    private var prefix = ShortBytes()
    private var first: ByteBuffer?
    /// Behind `first`; most streams need none.
    private var rest: CircularBuffer<ByteBuffer>?
    /// The last of `rest` is a short one, to which others may be copied.
    private var endsShort = false
    private(set) var pending = 0
    private(set) var sent = 0
    var isFinished = false
    var trailers = Trailers.none
    /// nghttp2 asked and there was nothing; it must be told when there is.
    var isDeferred = false
    /// After this time, in nanoseconds, nobody wants what still waits.
    var wantedUntil = UInt64.max
    /// Somebody wants to know what was sent.
    let reportsSent: Bool

    init() { reportsSent = true }

    /// A whole body.
    init(prefix: ShortBytes, body: ByteBuffer, trailers: PreparedFields? = nil) {
        self.prefix = prefix
        first = body.readableBytes > 0 ? body : nil
        pending = prefix.count + body.readableBytes
        isFinished = true
        if let trailers { self.trailers = .prepared(trailers) }
        reportsSent = false
    }

    mutating func append(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > 0 else { return }
        pending += buffer.readableBytes
        guard first != nil else { return first = buffer }
        let isShort = buffer.readableBytes <= OutputQueue.copyLimit
        if isShort, var joined = takeShort(withRoomFor: buffer.readableBytes) {
            joined.writeImmutableBuffer(buffer)
            return push(joined)
        }
        endsShort = isShort
        // Where no other follows, as behind the prefix of a large message, nothing is copied.
        let isTooMuch = isShort && buffer.storageCapacity > Self.joinedBytes
        push(isTooMuch ? ByteBuffer(bytes: buffer.readableBytesView) : buffer)
    }

    private mutating func takeShort(withRoomFor bytes: Int) -> ByteBuffer? {
        guard endsShort, let joined = rest?.last?.readableBytes, joined + bytes <= Self.joinedBytes else { return nil }
        return rest?.popLast()
    }

    private mutating func push(_ buffer: ByteBuffer) {
        if rest == nil { rest = CircularBuffer(initialCapacity: 4) }
        rest?.append(buffer)
    }

    enum Next {
        case nothing
        case some(Int)
        /// All the rest.
        case last(Int, Trailers)
    }

    /// What goes into the next DATA frame.
    mutating func next(upTo length: Int) -> Next {
        let count = min(length, pending)
        if isFinished, count == pending { return .last(count, trailers) }
        guard count > 0 else {
            isDeferred = true
            return .nothing
        }
        return .some(count)
    }

    /// Some of the next bytes.
    enum Piece {
        case short(ShortBytes)
        case buffer(ByteBuffer)

        func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
            switch self {
            case .short(let bytes): unsafe bytes.withBytes(body)
            case .buffer(let buffer): unsafe buffer.withUnsafeReadableBytes(body)
            }
        }
    }

    /// Hands the next `count` bytes over, piece by piece.
    mutating func take(_ count: Int, _ body: (Piece) -> Void) {
        var left = min(count, pending)
        pending -= left
        sent += left
        if prefix.count > 0 {
            let piece = prefix.removeFirst(min(left, prefix.count))
            left -= piece.count
            body(.short(piece))
        }
        while left > 0, var buffer = first.take() {
            if buffer.readableBytes <= left {
                left -= buffer.readableBytes
                body(.buffer(buffer))
                first = rest?.popFirst()
            } else {
                if let slice = buffer.readSlice(length: left) { body(.buffer(slice)) }
                left = 0
                first = buffer
            }
        }
    }
}
