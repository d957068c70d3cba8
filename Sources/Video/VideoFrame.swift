public import NIOCore

/// One picture of a video.
public struct VideoFrame: Sendable {
    /// From 0.
    public var index: UInt64
    /// Microseconds since the start of the file, from the stream's own timestamps. Strictly rising.
    public var captureTime: Int64
    /// BGR8, rows packed.
    public var pixels: ByteBuffer

    public init(index: UInt64, captureTime: Int64, pixels: ByteBuffer) {
        self.index = index
        self.captureTime = captureTime
        self.pixels = pixels
    }
}
