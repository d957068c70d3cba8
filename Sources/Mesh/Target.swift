/// Where the endpoints of a channel come from.
///
/// `static:///a:1,b:2` is a fixed list; `dns:///name:port` is every address that the name has, asked again and again;
/// `srv:///name` is every server of a service (RFC 2782), each with its port, asked likewise; `unix:///PATH` is a socket of
/// this host; a bare `HOST:PORT` means `dns:///HOST:PORT`, a bare list `a:1,b:2` means `static:///a:1,b:2`. IPv6
/// addresses are written in brackets, `[::1]:8001`.
public struct Target: Sendable, Hashable, CustomStringConvertible {
    public struct HostPort: Sendable, Hashable, CustomStringConvertible {
        public var host: String
        public var port: Int
        public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    public enum Kind: Sendable, Hashable {
        case fixed([HostPort])
        case dns(HostPort)
        /// For example `_rpc._tcp.detectors.vision.svc`.
        case srv(String)
        /// A Unix-domain socket of this host.
        case unix(String)
    }

    /// Endpoints that one list may name.
    public static let maxEndpoints = 1024

    public var kind: Kind

    public init(parsing text: String) throws(MeshError) {
        if let rest = text.dropping(prefix: "static:///") {
            let parts = rest.split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count <= Self.maxEndpoints else {
                throw MeshError("target names \(parts.count) endpoints, limit \(Self.maxEndpoints)")
            }
            var list: [HostPort] = []
            for part in parts { list.append(try HostPort(parsing: String(part), in: text)) }
            kind = .fixed(list)
        } else if let rest = text.dropping(prefix: "dns:///") {
            kind = .dns(try HostPort(parsing: String(rest), in: text))
        } else if let name = text.dropping(prefix: "srv:///") {
            guard !name.isEmpty, !name.contains(where: { ":/, ".contains($0) }) else {
                throw MeshError("target '\(text)' is not srv:///NAME; the ports are the service's")
            }
            kind = .srv(String(name))
        } else if let path = text.dropping(prefix: "unix:") {
            // `unix:///run/x` is the same as `unix:/run/x`.
            let path = path.hasPrefix("///") ? path.dropFirst(2) : path
            guard !path.isEmpty else { throw MeshError("target '\(text)' has no path") }
            kind = .unix(String(path))
        } else if text.contains(","), !text.contains("://") {
            self = try Target(parsing: "static:///" + text)
        } else if text.contains("://") {
            throw MeshError(
                "target '\(text)' has an unknown scheme; use dns:///name:port or srv:///name or static:///a:1,b:2 or HOST:PORT or unix:///PATH"
            )
        } else {
            kind = .dns(try HostPort(parsing: text, in: text))
        }
    }

    public var description: String {
        switch kind {
        case .fixed(let list): "static:///" + list.map(\.description).joined(separator: ",")
        case .dns(let name): "dns:///\(name)"
        case .srv(let name): "srv:///\(name)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension Target.HostPort {
    public init(parsing text: String) throws(MeshError) { try self.init(parsing: text, in: text) }

    init(parsing text: String, in target: String) throws(MeshError) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { throw MeshError("'\(text)' in target '\(target)' is not HOST:PORT") }
        var host = String(text[..<colon])
        guard !host.contains(",") else {
            throw MeshError("target '\(target)' names one endpoint; several are static:///a:1,b:2")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { throw MeshError("'\(text)' in target '\(target)' has no host") }
        self.init(host: host, port: port)
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
