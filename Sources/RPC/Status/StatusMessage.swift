/// The value of `grpc-message`: UTF-8, percent-encoded (gRPC, `doc/PROTOCOL-HTTP2.md`, "Status-Message").
enum StatusMessage {
    /// A longer message is cut, so that trailers stay below the header limits of peers (8 KiB at stock ones).
    static let maxEncodedBytes = 4096

    /// White space at the ends is escaped, too: RFC 9113 forbids it there, and peers may reset the stream for it.
    static func encode(_ message: String) -> String {
        var encoded: [UInt8] = []
        for character in message.unicodeScalars {
            let start = encoded.count
            for byte in UTF8.encode(character) ?? UTF8.encodedReplacementCharacter { append(byte, to: &encoded) }
            // Cut between characters.
            if encoded.count > maxEncodedBytes {
                encoded.removeSubrange(start...)
                break
            }
        }
        let space = UInt8(ascii: " ")
        if encoded.last == space { encoded.replaceSubrange((encoded.count - 1)..., with: escape(space)) }
        if encoded.first == space { encoded.replaceSubrange(...0, with: escape(space)) }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func append(_ byte: UInt8, to encoded: inout [UInt8]) {
        if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
            encoded.append(byte)
        } else {
            encoded += escape(byte)
        }
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// What is not an escape stays as it is; bytes that are not UTF-8 become U+FFFD.
    static func decode(_ value: String) -> String {
        guard value.utf8.contains(UInt8(ascii: "%")) else { return value }
        let bytes = Array(value.utf8)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let high = HexDigit.value(of: bytes[index + 1]), let low = HexDigit.value(of: bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
