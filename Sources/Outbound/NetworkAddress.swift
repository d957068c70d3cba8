import NIOCore

/// An IP address, and what may be said of where it leads. IPv4 in IPv6 (`::ffff:10.0.0.1`, and the prefixes that carry
/// one through a translator) is the IPv4 address.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16.
    let bytes: [UInt8]

    /// - Parameter text: `192.0.2.7` or `2001:db8::7`, without brackets; nil: it is a name.
    init?(_ text: String) {
        guard let address = try? SocketAddress(ipAddress: text, port: 0) else { return nil }
        self.init(address)
    }

    /// nil: the path of a socket.
    init?(_ address: SocketAddress) {
        // By their places in `sockaddr_in` and `sockaddr_in6`, as in RPC's `AddressBlock`.
        switch address {
        case .v4(let v4):
            bytes = unsafe withUnsafeBytes(of: v4.address) { unsafe Array($0[4..<8]) }
        case .v6(let v6):
            let all = unsafe withUnsafeBytes(of: v6.address) { unsafe Array($0[8..<24]) }
            bytes = Self.embedded(all) ?? all
        case .unixDomainSocket: return nil
        }
    }

    private static func embedded(_ bytes: [UInt8]) -> [UInt8]? {
        let head = Array(bytes.prefix(12))
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        // NAT64 (RFC 6052), and the old IPv4-compatible ones, of which :: and ::1 are none.
        let translated: [UInt8] = [0x00, 0x64, 0xFF, 0x9B] + [UInt8](repeating: 0, count: 8)
        let compatible = [UInt8](repeating: 0, count: 12)
        if head == mapped || head == translated { return Array(bytes.suffix(4)) }
        if head == compatible, bytes[12] != 0 { return Array(bytes.suffix(4)) }
        return nil
    }

    package var description: String {
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map { index in
            String(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]), radix: 16)
        }.joined(separator: ":")
    }

    /// `192.0.2.7:80` or `[2001:db8::7]:80`
    package func with(port: Int) -> String { bytes.count == 16 ? "[\(self)]:\(port)" : "\(self):\(port)" }

    /// It is for everybody, not for one machine, one network or nobody (the registries of RFC 6890).
    var isPublic: Bool { !Self.special.contains { $0.contains(self) } }

    private static let special: [AddressRange] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "::/8", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "64:ff9b:1::/48",
        "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    ].compactMap { AddressRange($0) }
}

/// Addresses with the same beginning, `10.0.0.0/8`.
struct AddressRange: Sendable, Hashable {
    private let first: NetworkAddress
    private let bits: Int

    /// - Parameter text: ADDRESS/BITS, or one address; nil: it is none of them.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = NetworkAddress(String(parts[0])) else { return nil }
        let all = address.bytes.count * 8
        guard parts.count == 2 else {
            first = address
            bits = all
            return
        }
        guard let bits = Int(parts[1]), (0...all).contains(bits) else { return nil }
        first = address
        self.bits = bits
    }

    func contains(_ address: NetworkAddress) -> Bool {
        guard address.bytes.count == first.bytes.count else { return false }
        let whole = bits / 8
        guard address.bytes.prefix(whole) == first.bytes.prefix(whole) else { return false }
        guard bits % 8 > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> (bits % 8))
        return address.bytes[whole] & mask == first.bytes[whole] & mask
    }
}
