public import NIOCore

/// What the bytes of a picture are.
public enum Encoding: UInt32, Sendable, CaseIterable {
    /// Compressed; told apart by its magic bytes.
    case auto = 0
    case jpeg, png, webp
    /// 3 bytes a pixel.
    case bgr8, rgb8
    /// 1 byte a pixel.
    case gray8
    /// 4:2:0, a Y plane and then interleaved UV at half size.
    case nv12
    /// 4:2:0, planes Y, U, V.
    case i420

    /// Raw pixels: width and height must be given.
    public var isRaw: Bool { rawValue >= Encoding.bgr8.rawValue }
}

/// How the bytes of a frame came or will travel.
public enum FramePayload: Sendable {
    /// In the message's `pixels` field.
    case inline(ByteBuffer)
    /// Beside the message, as its attachment (docs/wire.md section 3).
    case attached(ByteBuffer)

    public var bytes: ByteBuffer {
        switch self {
        case .inline(let bytes), .attached(let bytes): return bytes
        }
    }
}

/// One picture of a stream. Its bytes are shared, never copied, by everything that holds the frame.
public struct Frame: Sendable {
    /// Which stream; may be empty in unary calls.
    public var stream: String
    /// Position in the stream, counted by the sender.
    public var sequence: UInt64
    /// Microseconds since the epoch, or since the start of a file.
    public var captureTime: Int64
    public var encoding: Encoding
    /// Pixels; zero where unknown (compressed encodings).
    public var width: Int
    public var height: Int
    /// Bytes from row to row; 0 means rows are packed.
    public var rowStride: Int
    public var payload: FramePayload

    public init(
        stream: String = "", sequence: UInt64 = 0, captureTime: Int64 = 0, encoding: Encoding = .auto,
        width: Int = 0, height: Int = 0, rowStride: Int = 0, payload: FramePayload
    ) {
        self.stream = stream
        self.sequence = sequence
        self.captureTime = captureTime
        self.encoding = encoding
        self.width = width
        self.height = height
        self.rowStride = rowStride
        self.payload = payload
    }
}
