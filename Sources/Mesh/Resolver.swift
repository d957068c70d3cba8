import Glibc
public import NIOCore
import NIOPosix

/// Turns a target into addresses, by the system's resolver, off the event loops.
public struct Resolver: Sendable {
    public var target: Target

    public init(target: Target) { self.target = target }

    /// Every address of the target, without duplicates, in a stable order.
    /// - Throws: `MeshError` that names the host.
    public func resolve() async throws -> [SocketAddress] {
        let names: [Target.HostPort] =
            switch target.kind {
            case .fixed(let list): list
            case .dns(let name): [name]
            }
        return try await NIOThreadPool.singleton.runIfActive {
            var seen: Set<String> = []
            var addresses: [SocketAddress] = []
            for name in names {
                for address in try Self.lookUp(name) where seen.insert("\(address)").inserted {
                    addresses.append(address)
                }
            }
            return Array(addresses.prefix(Target.maxEndpoints))
        }
    }

    /// getaddrinfo (RFC 3493), every answer of it. Blocks.
    private static func lookUp(_ name: Target.HostPort) throws -> [SocketAddress] {
        if let literal = try? SocketAddress(ipAddress: name.host, port: name.port) { return [literal] }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var first: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(name.host, String(name.port), &hints, &first)
        guard code == 0 else {
            throw MeshError("cannot resolve '\(name.host)': \(unsafe String(cString: gai_strerror(code)))")
        }
        defer { unsafe freeaddrinfo(first) }
        var addresses: [SocketAddress] = []
        var next = unsafe first
        while let info = unsafe next {
            if let address = unsafe info.pointee.ai_addr {
                switch unsafe info.pointee.ai_family {
                case AF_INET:
                    unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        addresses.append(SocketAddress(unsafe $0.pointee, host: name.host))
                    }
                case AF_INET6:
                    unsafe address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                        addresses.append(SocketAddress(unsafe $0.pointee, host: name.host))
                    }
                default: break
                }
            }
            unsafe next = unsafe info.pointee.ai_next
        }
        return addresses
    }
}
