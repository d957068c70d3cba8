public import Logging
public import NIOCore
public import RPC

/// A server of this mesh, whatever its role: beside its own services it has health and reflection, logs and counts its
/// calls, and lets in whom `access` lets in.
public struct RoleServer: Sendable {
    public let server: RPCServer
    /// It knows no service yet.
    public let health: HealthService

    /// - Parameters:
    ///   - name: with a number of its own, what it tells peers that it takes attachments as.
    ///   - access: nil: anybody.
    /// - Throws: what the bind says, or that `access` has a rule for what is not there.
    public static func bind(
        _ name: String, _ services: [any RPCService], to address: ServerAddress, _ configuration: ServerConfiguration,
        access: AccessControl?, budget: MemoryBudget = .shared, group: any EventLoopGroup, logger: Logger
    ) async throws -> RoleServer {
        var configuration = configuration
        configuration.attachmentIdentity = "\(name)-\(UInt64.random(in: 1...UInt64.max))"
        let health = HealthService(maxWatches: configuration.maxHealthWatches)
        var services = services + [health]
        services += try Reflection.services(describing: services, maxRequests: configuration.maxReflectionRequests)
        var interceptors: [any ServerInterceptor] = [LogInterceptor(logger: logger), MetricsInterceptor()]
        if let access { interceptors.append(try access.interceptor(guarding: services)) }
        let server = try await RPCServer.bind(
            to: address, configuration: configuration, services: services, interceptors: interceptors, budget: budget,
            group: group, logger: logger)
        return RoleServer(server: server, health: health)
    }
}
