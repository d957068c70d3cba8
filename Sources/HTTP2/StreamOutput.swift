import NIOCore

/// What waits to be sent on one stream: slices of the callers' buffers, then trailers.
final class StreamOutput {
    private var buffers = CircularBuffer<ByteBuffer>(initialCapacity: 4)
    private(set) var pending = 0
    var isFinished = false
    /// Sent after the last byte; nil: the last DATA frame ends the stream.
    var trailers: [HeaderField]?
    /// nghttp2 asked and there was nothing; it must be told when there is.
    var isDeferred = false

    func append(_ buffer: ByteBuffer) {
        guard buffer.readableBytes > 0 else { return }
        pending += buffer.readableBytes
        buffers.append(buffer)
    }

    /// Moves the next `count` bytes to `output`, without copying where they are many.
    func take(_ count: Int, into output: inout OutputQueue) {
        var left = count
        while left > 0, var first = buffers.first {
            if first.readableBytes <= left {
                left -= first.readableBytes
                output.append(first)
                buffers.removeFirst()
            } else if let slice = first.readSlice(length: left) {
                buffers[buffers.startIndex] = first
                output.append(slice)
                left = 0
            }
        }
        pending -= count - left
    }
}
