public import NIOCore

extension Target {
    /// Every address of the target now, without duplicates, for a caller that makes its own connections; those of an
    /// SRV record with a lower priority first.
    /// - Throws: `MeshError` that names what cannot be resolved, if there is no address at all.
    public func resolve(_ dns: DNSConfiguration = DNSConfiguration()) async throws -> [SocketAddress] {
        var resolver = Resolver(target: self, service: DNSNameService(configuration: dns), keep: .zero)
        let resolution = await resolver.resolve()
        try Task.checkCancellation()
        guard !resolution.addresses.isEmpty else {
            throw MeshError(resolution.trouble ?? "\(self) has no addresses")
        }
        return resolution.addresses.map(\.address)
    }
}
