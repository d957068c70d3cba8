import NIOCore

/// What waits to be sent on one stream: a few bytes, slices of the callers' buffers, then trailers.
struct StreamOutput {
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
    private(set) var pending = 0
    private(set) var sent = 0
    var isFinished = false
    var trailers = Trailers.none
    /// nghttp2 asked and there was nothing; it must be told when there is.
    var isDeferred = false
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

    /// Moves the next `count` bytes to `output`, without copying where they are many.
    mutating func take(_ count: Int, into output: inout OutputQueue) {
        var left = min(count, pending)
        pending -= left
        sent += left
        if prefix.count > 0 {
            let now = min(left, prefix.count)
            output.append(prefix, upTo: now)
            prefix.removeFirst(now)
            left -= now
        }
        while left > 0, var buffer = first.take() {
            if buffer.readableBytes <= left {
                left -= buffer.readableBytes
                output.append(buffer)
                first = rest?.popFirst()
            } else {
                if let slice = buffer.readSlice(length: left) { output.append(slice) }
                left = 0
                first = buffer
            }
        }
    }
}
