import NIOCore

/// What a server's certificate must bear.
enum ServerName: Hashable {
    /// A host name; the server is told it (SNI).
    case host(String)
    /// An IP address in its usual text form. It is not sent (RFC 6066, section 3).
    case address(String)

    init(_ text: String) {
        if let address = try? SocketAddress(ipAddress: text, port: 0).ipAddress {
            self = .address(address)
        } else {
            self = .host(text)
        }
    }

    func isBorne(by certificate: PeerCertificate) -> Bool {
        switch self {
        case .host(let name): certificate.isFor(host: name)
        case .address(let address): certificate.ipAddresses.contains(address)
        }
    }
}
