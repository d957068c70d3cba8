public import NIOCore
import RPC

/// One endpoint of a channel, for people.
public struct EndpointState: Sendable {
    public enum State: String, Sendable { case ready, connecting, unhealthy, ejected }
    /// `address:port`.
    public var name: String
    public var state: State
    /// Why it is not ready.
    public var reason: String?
    /// Calls of this channel that run there.
    public var outstanding: Int
    /// Peak-EWMA.
    public var latency: Duration
    public var calls: UInt64
    public var failures: UInt64
}

extension SocketAddress {
    /// `address:port`, IPv6 in brackets, or `unix:PATH`: what an endpoint is known by.
    public var endpointName: String { readable }

    /// The name that it was looked up by, and the port: what its server is told that it was asked for, and what a
    /// certificate must be for. nil: it was not looked up.
    public var authority: String? {
        let host: String
        switch self {
        case .v4(let address): host = address.host
        case .v6(let address): host = address.host
        case .unixDomainSocket: return nil
        }
        guard let port, !host.isEmpty, !host.contains(":") else { return nil }
        return "\(host):\(port)"
    }
}
