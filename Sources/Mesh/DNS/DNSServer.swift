import NIOCore

/// A DNS server that is asked instead of the system's: `ADDRESS:PORT`, `[::1]:5353`, or an address alone, port 53.
public struct DNSServer: Sendable, Hashable, CustomStringConvertible {
    public static let standardPort = 53
    /// Servers that one list may name.
    public static let maxServers = 8

    public let address: String
    public let port: Int

    /// - Throws: `MeshError`, also for a name: it would have to be looked up first.
    public init(parsing text: String) throws(MeshError) {
        var place = (host: text, port: Self.standardPort)
        if text.hasPrefix("["), text.hasSuffix("]") {
            place.host = String(text.dropFirst().dropLast())
        } else if (try? SocketAddress(ipAddress: text, port: 0)) == nil,
            let named = try? Target.HostPort(parsing: text), named.port > 0
        {
            place = (named.host, named.port)
        }
        guard (try? SocketAddress(ipAddress: place.host, port: place.port)) != nil else {
            throw MeshError("'\(text)' is not ADDRESS:PORT of a DNS server")
        }
        (address, port) = place
    }

    /// A list with commas.
    public static func list(parsing text: String) throws(MeshError) -> [DNSServer] {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= maxServers else {
            throw MeshError("\(parts.count) DNS servers are named, limit \(maxServers)")
        }
        var servers: [DNSServer] = []
        for part in parts { servers.append(try DNSServer(parsing: String(part))) }
        return servers
    }

    public var description: String { "\(Target.HostPort(host: address, port: port))" }
}
