import NIOCore

/// Reads a DNS message from its first byte to its last; every step is checked against the end.
struct DNSReader {
    typealias Malformed = DNSMessage.Malformed

    private static let maxNameBytes = 255
    /// Pointers of one name; they must point back, so that they end.
    private static let maxPointers = 32
    private enum Kind {
        static let v4 = 1, alias = 5, v6 = 28, service = 33
        static let internet = 1
    }

    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func skip(_ count: Int) throws(Malformed) {
        guard bytes.count - offset >= count else { throw Malformed(offset: offset) }
        offset += count
    }

    mutating func number() throws(Malformed) -> Int {
        try skip(2)
        return Int(bytes[offset - 2]) << 8 | Int(bytes[offset - 1])
    }

    mutating func record() throws(Malformed) -> DNSMessage.Record {
        let name = try name()
        let kind = try number()
        let isInternet = try number() == Kind.internet
        let seconds = try number() << 16 | number()
        let length = try number()
        let end = offset + length
        guard end <= bytes.count else { throw Malformed(offset: offset) }
        let content = isInternet ? try content(kind, length) : .other
        // A name in there may not go on after it.
        guard offset <= end else { throw Malformed(offset: end) }
        offset = end
        // The highest bit means nothing good (RFC 2181, section 8).
        return DNSMessage.Record(
            name: name, ttl: .seconds(seconds > Int(Int32.max) ? 0 : seconds), content: content)
    }

    private mutating func content(_ kind: Int, _ length: Int) throws(Malformed) -> DNSMessage.Content {
        switch (kind, length) {
        case (Kind.v4, 4), (Kind.v6, 16):
            let packed = ByteBuffer(bytes: bytes[offset..<offset + length])
            guard let address = try? SocketAddress(packedIPAddress: packed, port: 0) else {
                throw Malformed(offset: offset)
            }
            return .address(address)
        case (Kind.v4, _), (Kind.v6, _): throw Malformed(offset: offset)
        case (Kind.alias, _): return .alias(try name())
        case (Kind.service, _):
            return .service(
                ServiceRecord(priority: try number(), weight: try number(), port: try number(), host: try name()))
        default: return .other
        }
    }

    /// A name, and to where it goes on after it.
    mutating func name() throws(Malformed) -> String {
        var name = ""
        var length = 0
        var pointers = 0
        var at = offset
        /// After the first pointer.
        var end: Int?
        while true {
            guard at < bytes.count else { throw Malformed(offset: at) }
            let count = Int(bytes[at])
            switch count >> 6 {
            case 0:
                if count == 0 {
                    offset = end ?? at + 1
                    return name
                }
                length += count + 1
                guard length < Self.maxNameBytes, at + count < bytes.count else { throw Malformed(offset: at) }
                if !name.isEmpty { name += "." }
                for byte in bytes[at + 1...at + count] { name += Self.text(of: byte) }
                at += count + 1
            case 3:
                pointers += 1
                guard at + 1 < bytes.count, pointers <= Self.maxPointers else { throw Malformed(offset: at) }
                let target = (count & 0x3F) << 8 | Int(bytes[at + 1])
                guard target < at else { throw Malformed(offset: at) }
                end = end ?? at + 2
                at = target
            default: throw Malformed(offset: at)
            }
        }
    }

    private static func text(of byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): String(UnicodeScalar(byte + 32))
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            String(UnicodeScalar(byte))
        default: "\\" + String(1000 + Int(byte)).dropFirst()
        }
    }
}
