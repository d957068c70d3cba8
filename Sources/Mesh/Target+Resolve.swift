public import NIOCore

extension Target {
    /// Every address of the target now, without duplicates, in a stable order; for a caller that makes its own
    /// connections.
    /// - Throws: `MeshError` that names what cannot be resolved, if there is no address at all.
    public func resolve() async throws -> [SocketAddress] {
        var resolver = Resolver(target: self)
        let (addresses, trouble) = await resolver.resolve()
        guard !addresses.isEmpty else { throw MeshError(trouble ?? "\(self) has no addresses") }
        return addresses.map(\.address)
    }
}
