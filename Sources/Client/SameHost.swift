import NIOCore

extension SocketAddress {
    /// A connection to this address stays on this machine: loopback, or one of its own addresses.
    var isThisHost: Bool {
        switch self {
        case .unixDomainSocket: return true
        case .v4, .v6: break
        }
        guard let ip = ipAddress else { return false }
        if ip == "::1" || ip.hasPrefix("127.") { return true }
        let own = (try? System.enumerateDevices())?.compactMap { $0.address?.ipAddress } ?? []
        return own.contains(ip)
    }
}
