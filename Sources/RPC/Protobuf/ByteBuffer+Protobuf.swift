import NIOCore

/// Writes fields of a Protocol Buffers message ("Message Structure" of the Encoding document).
extension ByteBuffer {
    static func protobuf(_ body: (inout ByteBuffer) -> Void) -> ByteBuffer {
        var message = ByteBuffer()
        body(&message)
        return message
    }

    mutating func writeField(_ number: UInt64, varint value: UInt64) {
        writeVarint(number << 3)
        writeVarint(value)
    }

    mutating func writeField(_ number: UInt64, _ text: String) {
        writeVarint(number << 3 | 2)
        writeVarint(UInt64(text.utf8.count))
        writeString(text)
    }

    mutating func writeField(_ number: UInt64, _ bytes: ByteBuffer) {
        writeVarint(number << 3 | 2)
        writeVarint(UInt64(bytes.readableBytes))
        writeImmutableBuffer(bytes)
    }

    /// A message within this one.
    mutating func writeField(_ number: UInt64, _ body: (inout ByteBuffer) -> Void) {
        writeField(number, .protobuf(body))
    }

    private mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest > 0x7f {
            writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(rest))
    }
}
