import HTTPTypes
import Hummingbird
import NIOCore

/// Takes only requests that name a host that is ours, so that a page of another name that suddenly means this machine
/// (DNS rebinding) reaches nothing.
///
/// On loopback always, elsewhere where names are given. An address is always right: no name was rebound to it.
struct HostCheck: RouterMiddleware {
    /// Lower case, without a port.
    let names: Set<String>

    func handle(
        _ request: Request, context: GatewayContext, next: (Request, GatewayContext) async throws -> Response
    ) async throws -> Response {
        if !names.isEmpty || context.channel.localAddress?.isLoopback ?? true, !isOurs(request.head.authority) {
            throw Problem(.misdirectedRequest, "the gateway does not go by this name", field: "Host")
        }
        return try await next(request, context)
    }

    func isOurs(_ authority: String?) -> Bool {
        guard let authority, let host = Self.host(of: authority) else { return false }
        return host == "localhost" || names.contains(host) || Self.isAddress(host)
    }

    /// Lower case; nil: it is none.
    static func host(of authority: String) -> String? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, !host.isEmpty else { return nil }
        return host.lowercased()
    }

    private static func isAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}
