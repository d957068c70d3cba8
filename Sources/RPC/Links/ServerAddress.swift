public import NIOCore

/// Where one server is.
public enum ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name is looked up anew for each connection, and its addresses are tried in turn.
    case host(String, port: Int)
    case socket(SocketAddress)

    /// `10.0.0.7:50051`, `[::1]:50051`, `till.shop:50051`, `unix:/run/x.sock`.
    /// - Throws: `RPCError` INVALID_ARGUMENT.
    public init(parsing text: String) throws(RPCError) {
        if text.hasPrefix("unix:") {
            var path = text.dropFirst(5)
            if path.hasPrefix("///") { path = path.dropFirst(2) }
            guard !path.isEmpty, let address = try? SocketAddress(unixDomainSocketPath: String(path)) else {
                throw RPCError(.invalidArgument, "'\(text)' names no socket that can be used").withheld
            }
            self = .socket(address)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port), colon > text.startIndex
        else { throw RPCError(.invalidArgument, "'\(text)' is not HOST:PORT or unix:PATH").withheld }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw RPCError(.invalidArgument, "'\(text)': an IPv6 address is written in brackets, [::1]:50051").withheld
        }
        if let address = try? SocketAddress(ipAddress: String(host), port: port) {
            self = .socket(address)
        } else {
            // Of a name the last part is a word; else it was to be an address.
            guard let last = host.split(separator: ".").last, !last.allSatisfy({ $0.isASCII && $0.isNumber }) else {
                throw RPCError(.invalidArgument, "'\(host)' in '\(text)' is neither an address nor a name").withheld
            }
            self = .host(String(host), port: port)
        }
    }

    public var description: String {
        switch self {
        case .host(let name, let port): "\(name):\(port)"
        case .socket(let address): address.readable
        }
    }

    /// What the server is told that it was asked for; with TLS its certificate must bear the host of it.
    /// - Parameter given: what the address was found by; nil: it is all there is.
    func authority(_ given: String?, _ tls: ClientTLS?) -> String {
        // RFC 9110 wants a host here; a socket in the file system has none.
        tls?.serverName ?? given ?? (isInFileSystem ? "localhost" : description)
    }

    /// A Unix-domain socket.
    var isInFileSystem: Bool { if case .socket(.unixDomainSocket) = self { true } else { false } }
}
