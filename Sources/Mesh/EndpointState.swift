public import NIOCore
import RPC

/// One endpoint of a channel, for people.
public struct EndpointState: Sendable {
    public enum State: String, Sendable, CaseIterable {
        case connecting, unhealthy, ready, ejected
        /// Its process answers, and does not offer what the channel is for: an address that another service has now.
        case wrongService = "wrong service"
        /// It does not answer its probe: no calls while others are ready.
        case silent
    }
    /// `address:port`.
    public var name: String
    public var state: State
    /// Why it is not ready, or gets no calls though it is.
    public var reason: String?
    /// Calls of this channel that run there.
    public var outstanding: Int
    /// Peak-EWMA.
    public var latency: Duration
    public var calls: UInt64
    public var failures: UInt64
    /// 99 of 100 calls took less; of the last ones. nil: none was answered.
    public var p99: Duration?
    /// Times that it was left out because calls failed.
    public var ejections: UInt64
    /// What it said last.
    public var report: EndpointReport
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
