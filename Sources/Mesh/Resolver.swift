import NIOCore

/// An address, and the name that it came from.
struct ResolvedAddress: Sendable, Equatable {
    var address: SocketAddress
    /// What the server is told, and its certificate must bear. nil: a socket in the file system.
    var name: Target.HostPort?
    /// Of SRV: endpoints with a lower one get all calls while one of them is ready.
    var priority = 0
    /// Of SRV: the share of calls, 1 is average.
    var weight = 1.0

    init(address: SocketAddress, name: Target.HostPort? = nil) {
        self.address = address
        self.name = name
    }

    var endpointName: String { address.endpointName }
}

/// What a look-up of a target gave.
struct Resolution: Sendable {
    /// Without duplicates.
    var addresses: [ResolvedAddress] = []
    /// What could not be resolved, and why. nil: all was.
    var trouble: String?
    /// How long all of it holds. nil: there was nothing that ends.
    var ttl: Duration?
}

/// Turns a target into addresses, again and again. A name without a good answer keeps what it had for a while.
struct Resolver: Sendable {
    let target: Target
    private let service: any NameService
    /// How long a last good answer counts.
    private let keep: Duration
    private let maxEndpoints: Int
    private var hosts: [String: KnownHost] = [:]
    private var servers = LastGood<ServiceRecord>()

    fileprivate struct KnownHost: Sendable {
        var v4 = LastGood<SocketAddress>()
        var v6 = LastGood<SocketAddress>()
    }

    /// - Parameter maxEndpoints: of more that names have, some are left out.
    init(target: Target, service: any NameService, keep: Duration, maxEndpoints: Int = Target.maxEndpoints) {
        self.target = target
        self.service = service
        self.keep = keep
        self.maxEndpoints = maxEndpoints
    }

    mutating func resolve(now: @autoclosure () -> NIODeadline = .now()) async -> Resolution {
        switch target.kind {
        case .unix(let path): return Self.socket(path)
        case .fixed(let list): return await resolve(list.map { Wanted($0.host, as: $0) }, now: now)
        case .dns(let name): return await resolve([Wanted(name.host, as: name)], now: now)
        case .srv(let name):
            let reply = await service.services(of: name)
            let records = servers.note(reply, now: now(), keep: keep)
            var resolution = await resolve(wanted(records, of: name), now: now)
            resolution.ttl = [resolution.ttl, reply.ttl].compactMap { $0 }.min()
            if let trouble = reply.trouble { resolution.trouble = trouble }
            return resolution
        }
    }

    private static func socket(_ path: String) -> Resolution {
        do {
            return Resolution(addresses: [ResolvedAddress(address: try SocketAddress(unixDomainSocketPath: path))])
        } catch {
            return Resolution(trouble: "'\(path)' is too long for a socket")
        }
    }

    // ---- hosts ----

    /// A host to look up, and what each of its addresses is.
    private struct Wanted: Sendable {
        var host: String
        /// What its server is told, and the port.
        var name: Target.HostPort
        var priority = 0
        var weight = 1.0

        init(_ host: String, as name: Target.HostPort) {
            self.host = host
            self.name = name
        }
    }

    private mutating func resolve(_ wanted: [Wanted], now: () -> NIODeadline) async -> Resolution {
        let literals = Dictionary(
            wanted.compactMap { wanted in
                (try? SocketAddress(ipAddress: wanted.host, port: 0)).map { (wanted.host, $0) }
            }
        ) { first, _ in first }
        let names = Set(wanted.map(\.host)).filter { literals[$0] == nil }.sorted()
        let replies = names.isEmpty ? [] : await service.addresses(of: names)
        var resolution = Resolution()
        var troubles: [String] = []
        var found: [String: [SocketAddress]] = literals.mapValues { [$0] }
        hosts = hosts.filter { names.contains($0.key) }
        for (name, reply) in zip(names, replies) {
            let (addresses, trouble) = hosts[name, default: KnownHost()].note(reply, now: now(), keep: keep)
            found[name] = addresses
            if let trouble { troubles.append(trouble) }
            resolution.ttl = [resolution.ttl, reply.v4.ttl, reply.v6.ttl].compactMap { $0 }.min()
        }
        resolution.addresses = addresses(of: wanted, found)
        if !troubles.isEmpty { resolution.trouble = troubles.prefix(Self.troublesShown).joined(separator: "; ") }
        return resolution
    }

    private func addresses(of wanted: [Wanted], _ found: [String: [SocketAddress]]) -> [ResolvedAddress] {
        var seen: Set<String> = []
        var addresses = wanted.flatMap { wanted in
            let found = found[wanted.host] ?? []
            return found.map { address in
                var resolved = ResolvedAddress(
                    address: address.named(wanted.name.host, port: wanted.name.port), name: wanted.name)
                resolved.priority = wanted.priority
                resolved.weight = wanted.weight / Double(found.count)
                return resolved
            }
        }.filter { seen.insert($0.endpointName).inserted }
        guard addresses.count > maxEndpoints else { return addresses }
        // Servers turn the order of what they answer; what is left out must be the same each time.
        addresses.sort { ($0.priority, $0.endpointName) < ($1.priority, $1.endpointName) }
        return Array(addresses.prefix(maxEndpoints))
    }

    private static let troublesShown = 4

    // ---- services ----

    /// The name of a service without `_rpc._tcp`: what its servers are told, and their certificates must bear, since whoever
    /// answers for DNS could name any host (RFC 6125, section 1.8).
    private static func domain(of service: String) -> String {
        let labels = service.split(separator: ".")
        let domain = labels.drop { $0.hasPrefix("_") }
        return (domain.isEmpty ? labels[...] : domain).joined(separator: ".")
    }

    private func wanted(_ records: [ServiceRecord], of name: String) -> [Wanted] {
        let domain = Self.domain(of: name)
        let usable = records.filter { $0.port > 0 && !$0.host.isEmpty }
            .sorted { ($0.priority, $0.host, $0.port) < ($1.priority, $1.host, $1.port) }
            .prefix(maxEndpoints)
        let priorities = Dictionary(grouping: usable, by: \.priority)
        return usable.map { record in
            var wanted = Wanted(record.host, as: Target.HostPort(host: domain, port: record.port))
            wanted.priority = record.priority
            wanted.weight = Self.weight(of: record, among: priorities[record.priority] ?? [])
            return wanted
        }
    }

    /// 1 is the average of its priority. A weight of 0 among others is "a very small chance", not none.
    private static func weight(of record: ServiceRecord, among records: [ServiceRecord]) -> Double {
        let mean = Double(records.reduce(0) { $0 + $1.weight }) / Double(max(1, records.count))
        return mean > 0 ? max(0.01, Double(record.weight) / mean) : 1
    }
}

extension Resolver.KnownHost {
    /// - Returns: what to use now, and what is wrong. No addresses of one kind are nothing wrong where there are others.
    fileprivate mutating func note(
        _ reply: AddressReply, now: NIODeadline, keep: Duration
    ) -> (addresses: [SocketAddress], trouble: String?) {
        var trouble: String?
        switch (reply.v4, reply.v6) {
        case (.found, .none): v6 = LastGood()
        case (.none, .found): v4 = LastGood()
        case (.found, .found): break
        // Some servers never answer for the kind that they have nothing of.
        case (.found, .failed(let reason)): trouble = v6.isEmpty ? nil : reason
        case (.failed(let reason), .found): trouble = v4.isEmpty ? nil : reason
        case (.none(let reason), .none), (.failed(let reason), _), (.none, .failed(let reason)): trouble = reason
        }
        return (v4.note(reply.v4, now: now, keep: keep) + v6.note(reply.v6, now: now, keep: keep), trouble)
    }
}

extension SocketAddress {
    /// The same address, at another port, as what `host` was looked up to.
    fileprivate func named(_ host: String, port: Int) -> SocketAddress {
        var address = self
        address.port = port
        switch address {
        case .v4(let address): return SocketAddress(address.address, host: host)
        case .v6(let address): return SocketAddress(address.address, host: host)
        case .unixDomainSocket: return self
        }
    }
}
