import NIOCore

/// Reads the fields of one Protocol Buffers message, one level deep, where it lies: it allocates nothing, so a message
/// costs what its bytes cost. For small messages whose schema is known to the caller ("Message Structure" of the
/// Encoding document).
struct ProtobufReader {
    enum Value: Equatable {
        case varint(UInt64)
        /// A string, bytes or a message.
        case bytes(ByteBuffer)
        /// Eight or four bytes that no schema here has.
        case fixed
    }

    struct Field: Equatable {
        var number: UInt64
        var value: Value
    }

    struct Malformed: Error, Equatable { var what: String }

    private var rest: ByteBuffer

    init(_ message: ByteBuffer) { rest = message }

    /// nil at the end.
    mutating func next() throws(Malformed) -> Field? {
        guard rest.readableBytes > 0 else { return nil }
        let tag = try varint("a tag")
        let number = tag >> 3
        guard (1...0x1fff_ffff).contains(number) else { throw Malformed(what: "field number \(number) is not allowed") }
        switch tag & 7 {
        case 0: return Field(number: number, value: .varint(try varint("field \(number)")))
        case 2:
            let length = try varint("the length of field \(number)")
            guard length <= UInt64(rest.readableBytes), let bytes = rest.readSlice(length: Int(length)) else {
                throw Malformed(what: "message ends inside field \(number)")
            }
            return Field(number: number, value: .bytes(bytes))
        case 1: try skip(8, number)
        case 5: try skip(4, number)
        default: throw Malformed(what: "field \(number) has wire type \(tag & 7)")
        }
        return Field(number: number, value: .fixed)
    }

    private mutating func skip(_ count: Int, _ number: UInt64) throws(Malformed) {
        guard rest.readableBytes >= count else { throw Malformed(what: "message ends inside field \(number)") }
        rest.moveReaderIndex(forwardBy: count)
    }

    private mutating func varint(_ what: @autoclosure () -> String) throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte: UInt8 = rest.readInteger() else { throw Malformed(what: "message ends inside \(what())") }
            // The tenth byte has one bit left.
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte & 0x80 == 0 { return value }
        }
        throw Malformed(what: "\(what()) has more than 64 bits")
    }
}

extension ProtobufReader.Value {
    /// nil if it is no UTF-8, or no string at all.
    var text: String? {
        guard case .bytes(let bytes) = self else { return nil }
        return String(validating: bytes.readableBytesView, as: UTF8.self)
    }
}
