import Foundation

/// A URL that somebody asks us to call: with a host, and nothing in it that two readers could take for two hosts.
package struct OutboundURL: Sendable, Hashable {
    /// Characters.
    static let longest = 4000

    /// As it was given, but for its scheme and its host in lower case, by which the one who calls finds the address
    /// that was looked at; may have a password in it.
    package let text: String
    /// Lower case; an IPv6 address has no brackets.
    package let host: String
    package let port: Int
    /// For its owner: without user and password.
    package let shown: String
    /// For logs: without what often is a secret, also the query.
    package let place: String

    /// - Parameter ports: the schemes that are called, with their usual ports.
    package init(_ text: String, ports: [String: Int]) throws(OutboundError) {
        guard text.utf8.count <= Self.longest else {
            throw OutboundError("a URL is longer than \(Self.longest) characters", .malformed)
        }
        // Only what RFC 3986 has: no spaces, no controls, no backslash, which some take for a slash.
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !#"\"<>^`{|}"#.utf8.contains($0) }) else {
            throw OutboundError("has a character that no URL has (a space is %20)", .malformed)
        }
        guard var parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased() else {
            throw OutboundError("is not a URL with a host", .malformed)
        }
        // Before the host: file:///etc/passwd has none, and would not be called with one.
        guard let usual = ports[scheme] else {
            let known = ports.keys.sorted()
            throw OutboundError(
                "'\(scheme)' is not called: it is to be \(known.dropLast().joined(separator: ", ")) or \(known.last ?? "")",
                .malformed)
        }
        guard let host = parts.host, !host.isEmpty, parts.percentEncodedHost?.contains("%") == false else {
            throw OutboundError("is not a URL with a host", .malformed)
        }
        let port = parts.port ?? usual
        guard (1...65_535).contains(port) else { throw OutboundError("its port is not one of 1 to 65535", .malformed) }
        guard parts.fragment == nil else { throw OutboundError("has a fragment (#), which is never sent", .malformed) }
        var name = host.lowercased()
        if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
        guard Self.isHost(name) else {
            throw OutboundError("its host is neither a name nor an address", .malformed)
        }
        parts.encodedHost = host.lowercased()
        parts.scheme = scheme
        guard let whole = parts.string else { throw OutboundError("is not a URL with a host", .malformed) }
        self.text = whole
        parts.user = nil
        parts.password = nil
        self.host = name
        self.port = port
        shown = parts.string ?? "\(scheme)://\(host)"
        place = "\(scheme)://\(name.contains(":") ? "[\(name)]" : name):\(port)\(parts.percentEncodedPath)"
    }

    /// An address or a name, lower case and without brackets. 127.1, 0x7f000001 and 2130706433 are addresses to some
    /// and names to others, and so neither.
    package static func isHost(_ text: String) -> Bool { NetworkAddress(text) != nil || isName(text) }

    /// Of DNS.
    private static func isName(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = labels.last, name.utf8.count <= 253 else { return false }
        let areWords = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
                }
        }
        return areWords && !last.utf8.allSatisfy { (0x30...0x39).contains($0) } && !last.hasPrefix("0x")
    }
}
