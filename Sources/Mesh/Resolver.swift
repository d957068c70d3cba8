import Glibc
import NIOCore
import NIOPosix

/// An address, and the name that it came from.
struct ResolvedAddress: Sendable, Equatable {
    var address: SocketAddress
    /// What the server is told, and its certificate must bear. nil: a socket in the file system.
    var name: Target.HostPort?

    init(address: SocketAddress, name: Target.HostPort? = nil) {
        self.address = address
        self.name = name
    }

    var endpointName: String { address.endpointName }
}

/// Turns a target into addresses, by the system's resolver, off the event loops.
struct Resolver: Sendable {
    let target: Target
    /// All addresses of one name. Blocks.
    let lookUp: @Sendable (Target.HostPort) throws -> [SocketAddress]
    /// What each name had when it was last resolved.
    private var known: [Target.HostPort: [SocketAddress]] = [:]

    init(
        target: Target, lookUp: @escaping @Sendable (Target.HostPort) throws -> [SocketAddress] = Resolver.systemLookUp
    ) {
        self.target = target
        self.lookUp = lookUp
    }

    /// Every address of the target, without duplicates, in a stable order. A name that cannot be resolved keeps the
    /// addresses that it had.
    /// - Returns: `trouble` names what could not be resolved, and why.
    mutating func resolve() async -> (addresses: [ResolvedAddress], trouble: String?) {
        if case .unix(let path) = target.kind { return Self.socket(path) }
        let names: [Target.HostPort] =
            switch target.kind {
            case .fixed(let list): list
            case .dns(let name): [name]
            case .unix: []
            }
        let answers = try? await NIOThreadPool.singleton.runIfActive { [lookUp] in
            names.map { name in Result { try lookUp(name) } }
        }
        return note(answers ?? [], of: names)
    }

    private static func socket(_ path: String) -> (addresses: [ResolvedAddress], trouble: String?) {
        do {
            return ([ResolvedAddress(address: try SocketAddress(unixDomainSocketPath: path))], nil)
        } catch {
            return ([], "'\(path)' is too long for a socket")
        }
    }

    private mutating func note(
        _ answers: [Result<[SocketAddress], any Error>], of names: [Target.HostPort]
    ) -> (addresses: [ResolvedAddress], trouble: String?) {
        var troubles: [String] = []
        for (name, answer) in zip(names, answers) {
            switch answer {
            case .success(let found) where !found.isEmpty: known[name] = found
            case .success: troubles.append("'\(name.host)' has no addresses")
            case .failure(let error): troubles.append("\(error)")
            }
        }
        var seen: Set<String> = []
        let addresses = names.flatMap { name in
            (known[name] ?? []).map { ResolvedAddress(address: $0, name: name) }
        }.filter { seen.insert($0.address.endpointName).inserted }
        let shown = troubles.prefix(Self.troublesShown).joined(separator: "; ")
        return (Array(addresses.prefix(Target.maxEndpoints)), troubles.isEmpty ? nil : shown)
    }

    private static let troublesShown = 4

    /// getaddrinfo (RFC 3493), every answer of it. Blocks.
    @Sendable static func systemLookUp(_ name: Target.HostPort) throws -> [SocketAddress] {
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
