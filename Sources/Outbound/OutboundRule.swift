package import Mesh
import NIOCore

/// Whom we call because somebody asks us to: nobody, unless it is said.
///
/// Names are permitted by patterns (`*.example.org`), addresses by ranges (`192.168.7.0/24`). A permitted name may lead
/// to a public address, or to one in a permitted range; what it leads to is looked at each time, and that address is the
/// one that is called.
package struct OutboundRule: Sendable {
    /// Addresses of a name that are called, one after the other; whoever owns the name must not have us call a thousand.
    static let mostAddresses = 8

    private let patterns: [String]
    private let ranges: [AddressRange]
    private let dns: DNSConfiguration
    private var allowsAll = false

    /// Nobody may be called.
    package static let nobody = OutboundRule(patterns: [], ranges: [], dns: DNSConfiguration())

    private init(patterns: [String], ranges: [AddressRange], dns: DNSConfiguration) {
        self.patterns = patterns
        self.ranges = ranges
        self.dns = dns
    }

    /// Whoever is named may be called: for who calls on his own account, from his own machine.
    package static func anybody(dns: DNSConfiguration) -> OutboundRule {
        var rule = OutboundRule(patterns: [], ranges: [], dns: dns)
        rule.allowsAll = true
        return rule
    }

    /// - Parameter allow: patterns and ranges.
    package init(allow: [String], dns: DNSConfiguration = DNSConfiguration()) throws(OutboundError) {
        var patterns: [String] = []
        var ranges: [AddressRange] = []
        for text in allow {
            if let range = AddressRange(text) {
                ranges.append(range)
            } else if Self.isPattern(text) {
                patterns.append(text.lowercased())
            } else {
                throw OutboundError(
                    "'\(text)' is neither a host, a pattern like *.example.org, nor a range of addresses like 192.168.7.0/24"
                )
            }
        }
        self.init(patterns: patterns, ranges: ranges, dns: dns)
    }

    /// Somebody may be called at all.
    package var isOn: Bool { allowsAll || !patterns.isEmpty || !ranges.isEmpty }

    /// The addresses to call, in this order until one answers, and no others.
    /// - Returns: at least one, at most `mostAddresses`.
    /// - Throws: `OutboundError`.
    package func addresses(of url: OutboundURL) async throws -> [NetworkAddress] {
        try check(url)
        if let address = NetworkAddress(url.host) { return [address] }
        let found: [SocketAddress]
        do {
            let target = try Target(parsing: "dns:///\(url.host):\(url.port)")
            found = try await target.resolve(dns)
        } catch let error as MeshError {
            throw OutboundError("\(url.host): \(error.message)", .unresolved)
        }
        return try choose(found.compactMap { NetworkAddress($0) }, of: url.host)
    }

    /// What can be said without asking for a name.
    package func check(_ url: OutboundURL) throws(OutboundError) {
        if allowsAll { return }
        if let address = NetworkAddress(url.host) {
            guard ranges.contains(where: { $0.contains(address) }) else {
                throw OutboundError(
                    "\(url.host) is not allowed to be called: addresses are by ranges, such as 192.168.7.0/24")
            }
        } else {
            guard patterns.contains(where: { Self.matches(url.host, $0) }) else {
                throw OutboundError(
                    "\(url.host) is not allowed to be called: names are by hosts and patterns, such as localhost or "
                        + "*.example.org")
            }
        }
    }

    /// One address that may not be called is enough: a name that leads to two networks is no accident.
    func choose(_ addresses: [NetworkAddress], of host: String) throws(OutboundError) -> [NetworkAddress] {
        guard !addresses.isEmpty else { throw OutboundError("\(host) has no address", .unresolved) }
        for address in addresses
        where !allowsAll && !address.isPublic && !ranges.contains(where: { $0.contains(address) }) {
            throw OutboundError(
                "\(host) leads to an address that is not public, which is allowed by ranges, such as 127.0.0.0/8")
        }
        return Array(addresses.prefix(Self.mostAddresses))
    }

    private static func isPattern(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || (0x2A...0x39).contains($0) || $0 == 0x5F
            }
            && !text.contains("/") && !text.contains(",") && !text.contains("+")
    }

    /// `*` stands for any number of characters, dots included.
    static func matches(_ host: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return host == pattern }
        guard host.hasPrefix(first), host.hasSuffix(last), host.count >= first.count + last.count else { return false }
        var rest = host.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
