import NIOCore

extension ChildPipes {
    /// The start of the next record; nil if the pipe ends.
    mutating func head(frameByteCount: Int?) throws(VideoError) -> Record.Head? {
        guard var bytes = body(Record.headByteCount) else { return nil }
        return try Record.Head(&bytes, frameByteCount: frameByteCount)
    }

    /// So many bytes in a buffer of their own; nil if the pipe ends before.
    mutating func body(_ count: Int) -> ByteBuffer? {
        var bytes = ByteBufferAllocator().buffer(capacity: count)
        return read(count, into: &bytes) ? bytes : nil
    }
}
