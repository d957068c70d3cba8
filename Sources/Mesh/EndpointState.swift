public import NIOCore

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
    /// `address:port`, IPv6 in brackets: what an endpoint is known by.
    public var endpointName: String {
        guard let ip = ipAddress, let port else { return description }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }
}
