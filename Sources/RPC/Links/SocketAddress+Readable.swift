package import NIOCore

extension Channel {
    /// Who is at the other end. A client of a Unix-domain socket has no address, so it is called by ours.
    var peerName: String {
        switch remoteAddress {
        case .v4?, .v6?: remoteAddress?.readable ?? ""
        case .unixDomainSocket?, nil: localAddress?.readable ?? "unknown"
        }
    }
}

extension SocketAddress {
    /// `10.0.0.7:50051`, `[::1]:50051`, `unix:/run/x.sock`: for people, and what an endpoint is known by.
    package var readable: String {
        switch self {
        case .v4: "\(ipAddress ?? "?"):\(port ?? 0)"
        case .v6: "[\(ipAddress ?? "?")]:\(port ?? 0)"
        case .unixDomainSocket: "unix:\(pathname ?? "")"
        }
    }

    /// What is sent there does not leave this host.
    var isThisHost: Bool {
        switch self {
        case .v4: ipAddress?.hasPrefix("127.") ?? false
        case .v6: ipAddress == "::1" || ipAddress?.hasPrefix("::ffff:127.") ?? false
        case .unixDomainSocket: true
        }
    }
}
