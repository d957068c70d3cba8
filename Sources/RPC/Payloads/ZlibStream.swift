import CZlib
import NIOCore

/// One pass through zlib, in or out. The one file that speaks with it.
@safe struct ZlibStream: ~Copyable {
    enum Progress {
        /// The compressed stream is complete.
        case ended
        case needsRoom
        case needsInput
        case damaged
    }

    private enum Direction { case inflate, deflate }

    /// zlib's own default: beyond it, time grows faster than the message shrinks.
    private static let level: Int32 = 6
    private static let memoryLevel: Int32 = 8

    private let direction: Direction
    /// zlib keeps a pointer to it, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    private init(_ direction: Direction, _ begin: (UnsafeMutablePointer<z_stream>) -> Int32) throws(RPCError) {
        self.direction = direction
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe begin(stream) == Z_OK else {
            unsafe stream.deallocate()
            throw RPCError(.resourceExhausted, "no memory for compression")
        }
    }

    init(inflating compression: Compression) throws(RPCError) {
        try unsafe self.init(.inflate) {
            unsafe inflateInit2_(
                $0, Self.windowBits(compression), zlibVersion(), Int32(MemoryLayout<z_stream>.size))
        }
    }

    init(deflating compression: Compression) throws(RPCError) {
        try unsafe self.init(.deflate) {
            unsafe deflateInit2_(
                $0, Self.level, Z_DEFLATED, Self.windowBits(compression), Self.memoryLevel, Z_DEFAULT_STRATEGY,
                zlibVersion(), Int32(MemoryLayout<z_stream>.size))
        }
    }

    deinit {
        switch direction {
        case .inflate: _ = unsafe inflateEnd(stream)
        case .deflate: _ = unsafe deflateEnd(stream)
        }
        unsafe stream.deallocate()
    }

    /// The largest window; 16 more asks for gzip's header and trailer in place of zlib's (zlib.h, `deflateInit2`).
    private static func windowBits(_ compression: Compression) -> Int32 { compression == .gzip ? 15 + 16 : 15 }

    /// Reads from `input` what it can, until `output` holds `size` bytes or the stream ends.
    ///
    /// `input` is all there is: a deflating stream ends with it.
    mutating func run(_ input: inout ByteBuffer, into output: inout ByteBuffer, upTo size: Int) -> Progress {
        let space = size - output.readableBytes
        var code = Z_OK
        unsafe input.readWithUnsafeReadableBytes { source in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.pointee.avail_in = UInt32(source.count)
            unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: space) { target in
                unsafe stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = UInt32(space)
                switch direction {
                case .inflate: unsafe code = CZlib.inflate(stream, Z_NO_FLUSH)
                case .deflate: unsafe code = CZlib.deflate(stream, Z_FINISH)
                }
                return unsafe space - Int(stream.pointee.avail_out)
            }
            return unsafe source.count - Int(stream.pointee.avail_in)
        }
        switch code {
        case Z_STREAM_END: return .ended
        case Z_OK, Z_BUF_ERROR: return output.readableBytes == size ? .needsRoom : .needsInput
        default: return .damaged
        }
    }
}
