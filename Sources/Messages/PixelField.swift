import NIOCore

/// The `pixels` field (number 100, length-delimited) of every request that carries a picture.
///
/// It is written last and peeled off by reading tags alone, so neither side's protobuf code ever sees pixels.
/// Encoding: Protocol Buffers, "Message Structure".
enum PixelField {
    static let number: UInt64 = 100
    /// Top-level fields of one message that are looked at; more is refused.
    static let maxFields = 4096

    static func header(length: Int) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 12)
        writeVarint(number << 3 | 2, into: &buffer)
        writeVarint(UInt64(length), into: &buffer)
        return buffer
    }

    /// The message without its pixels, and the pixels: slices of the same storage.
    static func peel(_ message: ByteBuffer) throws(MessageError) -> (rest: ByteBuffer, pixels: ByteBuffer?) {
        var reader = message
        var pieces: [ByteBuffer] = []
        var pieceStart = message.readerIndex
        var pixels: ByteBuffer?
        var fields = 0
        while reader.readableBytes > 0 {
            fields += 1
            guard fields <= maxFields else { throw MessageError("message has more than \(maxFields) fields") }
            let start = reader.readerIndex
            let (field, bytes) = try readField(&reader)
            guard field == number else { continue }
            // The last one wins, as protobuf says.
            pixels = bytes
            if start > pieceStart, let piece = message.getSlice(at: pieceStart, length: start - pieceStart) {
                pieces.append(piece)
            }
            pieceStart = reader.readerIndex
        }
        if let piece = message.getSlice(at: pieceStart, length: message.writerIndex - pieceStart),
            piece.readableBytes > 0
        {
            pieces.append(piece)
        }
        // Almost always one piece: what lies before the pixels.
        guard var rest = pieces.first else { return (ByteBuffer(), pixels) }
        for piece in pieces.dropFirst() { rest.writeImmutableBuffer(piece) }
        return (rest, pixels)
    }

    /// The number of the next field, and its bytes where it is length-delimited.
    private static func readField(_ reader: inout ByteBuffer) throws(MessageError) -> (UInt64, ByteBuffer?) {
        guard let tag = readVarint(&reader) else { throw MessageError("message ends inside a tag") }
        let field = tag >> 3
        guard field != number || tag & 7 == 2 else {
            throw MessageError("field pixels has wire type \(tag & 7), not 2")
        }
        switch tag & 7 {
        case 0:
            guard readVarint(&reader) != nil else { throw MessageError("message ends inside field \(field)") }
            return (field, nil)
        case 1 where reader.readableBytes >= 8: reader.moveReaderIndex(forwardBy: 8)
        case 5 where reader.readableBytes >= 4: reader.moveReaderIndex(forwardBy: 4)
        case 2:
            guard let length = readVarint(&reader), length <= UInt64(reader.readableBytes) else {
                throw MessageError("field \(field) is longer than its message")
            }
            return (field, reader.readSlice(length: Int(length)))
        case 1, 5: throw MessageError("message ends inside field \(field)")
        default: throw MessageError("field \(field) has wire type \(tag & 7), which is not known")
        }
        return (field, nil)
    }

    private static func writeVarint(_ value: UInt64, into buffer: inout ByteBuffer) {
        var value = value
        while value >= 0x80 {
            buffer.writeInteger(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        buffer.writeInteger(UInt8(value))
    }

    /// nil where the buffer ends or the number has more than 10 bytes.
    private static func readVarint(_ buffer: inout ByteBuffer) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte: UInt8 = buffer.readInteger() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
