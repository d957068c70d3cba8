package import NIOCore

/// What counts as one address when connections are counted: an IPv4 address, or a /64 of IPv6, which one host has whole
/// (RFC 7421). An IPv4 address in the form of IPv6 (`::ffff:10.0.0.7`) is the IPv4 address.
package struct AddressBlock: Sendable, Hashable, CustomStringConvertible {
    private let isV6: Bool
    /// Of IPv6 its first eight bytes.
    private let bits: UInt64

    /// nil: not an IP address.
    package init?(_ address: SocketAddress?) {
        guard let address else { return nil }
        // The addresses by their places in `sockaddr_in` and `sockaddr_in6`: which C module names the fields depends on
        // what this module imports first.
        switch address {
        case .v4(let v4):
            let bytes = unsafe withUnsafeBytes(of: v4.address) { unsafe Array($0[4..<8]) }
            (isV6, bits) = (false, bytes.reduce(0) { $0 << 8 | UInt64($1) })
        case .v6(let v6):
            let bytes = unsafe withUnsafeBytes(of: v6.address) { unsafe Array($0[8..<24]) }
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
            isV6 = !isMapped
            bits = (isMapped ? bytes[12...] : bytes[..<8]).reduce(0) { $0 << 8 | UInt64($1) }
        case .unixDomainSocket: return nil
        }
    }

    /// The same number for the same address, in any process.
    var number: UInt64 { UInt64(mixing: isV6 ? bits : bits | 1 << 32, with: isV6 ? 6 : 4) }

    /// `10.0.0.7`, `2001:db8:0:1::/64`.
    package var description: String {
        let size = isV6 ? 16 : 8
        let parts = stride(from: isV6 ? 48 : 24, through: 0, by: -size).map {
            bits >> UInt64($0) & (1 << UInt64(size) - 1)
        }
        return isV6
            ? parts.map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
            : parts.map { String($0) }.joined(separator: ".")
    }
}
