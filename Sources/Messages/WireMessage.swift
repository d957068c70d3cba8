public import NIOCore

/// A message in its wire form: what protobuf holds, and the pixels beside it.
public struct WireMessage: Sendable {
    public var message: ByteBuffer
    /// Bytes of a picture, never packed by protobuf. nil: the message has none.
    public var pixels: ByteBuffer?

    public init(message: ByteBuffer, pixels: ByteBuffer? = nil) {
        self.message = message
        self.pixels = pixels
    }

    /// The protobuf tag and length that make `pixels` the last field of `message`
    /// (`message + preamble + pixels` is the plain protobuf form).
    public var preamble: ByteBuffer? { pixels.map { PixelField.header(length: $0.readableBytes) } }
}

/// A value that has a wire form in `framemesh.v1`.
public protocol WireCodable: Sendable {
    func encode() -> WireMessage
    /// - Throws: `MessageError` if the bytes are not such a message.
    static func decode(_ wire: WireMessage) throws(MessageError) -> Self
}

/// Bytes that are not the message they should be: the peer's mistake.
public struct MessageError: Error, Sendable, CustomStringConvertible {
    public var message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
