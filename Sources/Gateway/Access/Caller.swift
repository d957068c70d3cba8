package import NIOCore
package import RPC

/// Who sent a request.
package struct Caller: Sendable, CustomStringConvertible {
    /// Who it has proved to be; nil: nobody in particular.
    package var principal: Principal?
    /// Where it calls from; nil: through a socket of the file system.
    package let address: AddressBlock?
    /// On this machine: by loopback, or through a socket of the file system.
    package let isLocal: Bool

    package init(principal: Principal? = nil, address: SocketAddress?) {
        self.principal = principal
        self.address = AddressBlock(address)
        isLocal = address?.isLoopback ?? true
    }

    /// By name where it has one, else by address.
    package enum Key: Hashable, Sendable {
        case name(String)
        case address(AddressBlock?)
    }

    package var key: Key { principal.map { .name($0.name) } ?? .address(address) }

    /// What its jobs are filed under; empty: nobody in particular.
    package var owner: String { principal?.name ?? "" }

    /// - Parameter hasCredentials: the gateway knows whom to let in.
    package func may(_ access: Access, hasCredentials: Bool) -> Bool {
        switch access {
        case .open: true
        case .analyze, .admin:
            hasCredentials
                ? principal?.scopes.contains(access.rawValue) ?? false : access == .analyze || isLocal
        }
    }

    package var description: String {
        let place = address?.description ?? "this machine"
        return principal.map { "\($0) at \(place)" } ?? place
    }
}

extension SocketAddress {
    /// Only processes of this machine are there.
    package var isLoopback: Bool {
        switch self {
        case .v4: ipAddress?.hasPrefix("127.") ?? false
        case .v6: ipAddress == "::1" || ipAddress?.hasPrefix("::ffff:127.") ?? false
        case .unixDomainSocket: true
        }
    }
}
