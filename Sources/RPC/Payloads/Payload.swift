public import NIOCore

/// One gRPC message, with an optional attachment (docs/wire.md section 3).
///
/// When the peer takes attachments, `message` goes through protobuf and `attachment` travels beside it.
/// When it does not, the runtime sends the single plain message `message + preamble + attachment`:
/// `preamble` is the protobuf tag and length that make the attachment the message's last field.
///
/// A received payload holds its reservation of the `MemoryBudget` as long as this value lives.
public struct Payload: Sendable {
    public var message: ByteBuffer
    public var preamble: ByteBuffer?
    public var attachment: ByteBuffer?
    /// Of a message to send: false lets it go uncompressed in a call that compresses.
    public var compresses = true
    /// Of a received message: it came compressed.
    public internal(set) var wasCompressed = false
    /// `message` is in the form of the call's `grpc-encoding`, to be sent so.
    var isDeflated = false
    /// `message` is still compressed, as it came; its consumer inflates it.
    var inflater: Inflater?
    var lease: MemoryBudget.Lease?

    public init(_ message: ByteBuffer, preamble: ByteBuffer? = nil, attachment: ByteBuffer? = nil) {
        self.message = message
        self.preamble = preamble
        self.attachment = attachment
    }

    /// Bytes without any prefix.
    var byteCount: Int {
        message.readableBytes + (attachment.map { $0.readableBytes + (preamble?.readableBytes ?? 0) } ?? 0)
    }
}
