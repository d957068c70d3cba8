public import Logging
public import Metrics
public import NIOCore
public import RPC

/// A server of this mesh, whatever its role: beside its own services it has health and reflection, logs and counts its
/// calls, and lets in whom `access` lets in.
public struct RoleServer: Sendable {
    private let server: RPCServer
    /// Health alone, in plain text; nil: nowhere.
    private let probes: RPCServer?
    /// It knows no service yet.
    public let health: HealthService

    /// What one probe may still take when the role has ended.
    private static let probesDrainTimeout: Duration = .seconds(1)

    /// - Parameters:
    ///   - name: with a number of its own, what it tells peers that it takes attachments as.
    ///   - access: nil: anybody.
    ///   - probes: where health alone is served as well, in plain text, for probes that cannot do TLS; nil: nowhere.
    ///   - tracing: what makes calls spans, if somebody wants that.
    ///   - metrics: what counts calls, and the stages of frames with `name` as role.
    /// - Throws: what a bind says, or that `access` has a rule for what is not there.
    public static func bind(
        _ name: String, _ services: [any RPCService], to address: ServerAddress, _ configuration: ServerConfiguration,
        access: AccessControl?, probes: ServerAddress? = nil, tracing: (any ServerInterceptor)? = nil,
        metrics: any MetricsFactory = MetricsSystem.factory,
        budget: MemoryBudget = .shared,
        group: any EventLoopGroup, logger: Logger
    ) async throws -> RoleServer {
        var configuration = configuration
        configuration.attachmentIdentity = "\(name)-\(UInt64.random(in: 1...UInt64.max))"
        let health = HealthService(
            maxWatches: configuration.maxHealthWatches, addressShare: configuration.addressShare,
            maxListed: configuration.maxListedServices, maxRequestBytes: configuration.maxHealthRequestBytes)
        var services = services + [health]
        services += try Reflection.services(
            describing: services, maxRequests: configuration.maxReflectionRequests,
            maxRequestBytes: configuration.maxReflectionRequestBytes,
            maxAnswerBytes: configuration.maxReflectionAnswerBytes)
        var interceptors: [any ServerInterceptor] = [
            LogInterceptor(logger: logger), MetricsInterceptor(factory: metrics),
            FrameStages(role: name, factory: metrics),
        ]
        if let tracing { interceptors.append(tracing) }
        if let access { interceptors.append(try access.interceptor(guarding: services)) }
        let server = try await RPCServer.bind(
            to: address, configuration: configuration, services: services, interceptors: interceptors, budget: budget,
            group: group, logger: logger)
        guard let probes else { return RoleServer(server: server, probes: nil, health: health) }
        var plain = configuration
        plain.tls = nil
        plain.drainTimeout = probesDrainTimeout
        do {
            let second = try await RPCServer.bind(
                to: probes, configuration: plain, services: [health], budget: budget, group: group, logger: logger)
            return RoleServer(server: server, probes: second, health: health)
        } catch {
            server.drain()
            throw error
        }
    }

    public var address: SocketAddress { server.address }
    /// Where health alone is served; nil: nowhere.
    public var probesAddress: SocketAddress? { probes?.address }

    /// Serves until cancelled, then drains; probes are answered, with NOT_SERVING, until that is done.
    public func run() async throws {
        guard let probes else { return try await server.run() }
        // Not a child task: it outlives the cancelling of this one, which waits for it.
        let answering = Task { try await probes.run() }
        let served = await Result { try await server.run() }
        answering.cancel()
        let answered = await answering.result
        try served.get()
        try answered.get()
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
