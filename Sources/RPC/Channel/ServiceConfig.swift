/// What a channel does for the calls of each method (gRPC, `doc/service_config.md`, as a value).
///
///     var config = ServiceConfig()
///     config.methods["/shop.Till/"] = MethodConfig(timeout: .seconds(5), attempts: .retry(RetryPolicy()))
///     config.methods["/shop.Till/Pay"] = MethodConfig(timeout: .seconds(5), attempts: .once)
///     config.throttle = RetryThrottle()
public struct ServiceConfig: Sendable {
    /// By `/package.Service/Method`, or `/package.Service/` for all other methods of a service.
    public var methods: [String: MethodConfig]
    /// For methods that `methods` does not name.
    public var defaults: MethodConfig
    /// The budget of all retries and hedges. nil: no limit but `maxAttempts`.
    public var throttle: RetryThrottle?

    public init(
        methods: [String: MethodConfig] = [:], defaults: MethodConfig = MethodConfig(), throttle: RetryThrottle? = nil
    ) {
        self.methods = methods
        self.defaults = defaults
        self.throttle = throttle
    }

    func method(_ path: String) -> MethodConfig {
        guard !methods.isEmpty else { return defaults }
        if let method = methods[path] { return method }
        guard let slash = path.lastIndex(of: "/") else { return defaults }
        return methods[String(path[...slash])] ?? defaults
    }
}

public struct MethodConfig: Sendable, Equatable {
    /// Wait for a connection rather than fail while none can be made; the deadline still counts. A call may say
    /// otherwise.
    public var waitForReady: Bool
    /// The longest that a call may last; its own deadline may be sooner.
    public var timeout: Duration?
    /// Larger requests fail with RESOURCE_EXHAUSTED before they are sent: each message, with its attachment.
    public var maxRequestBytes: Int?
    /// The same of what is answered, before a byte of it has its place: each message, and each attachment.
    public var maxResponseBytes: Int?
    public var attempts: AttemptPolicy

    public init(
        waitForReady: Bool = false, timeout: Duration? = nil, maxRequestBytes: Int? = nil,
        maxResponseBytes: Int? = nil, attempts: AttemptPolicy = .once
    ) {
        self.waitForReady = waitForReady
        self.timeout = timeout
        self.maxRequestBytes = maxRequestBytes
        self.maxResponseBytes = maxResponseBytes
        self.attempts = attempts
    }

    func check(_ request: Payload, _ path: String) throws(RPCError) {
        guard let maxRequestBytes, request.byteCount > maxRequestBytes else { return }
        throw RPCError(
            .resourceExhausted, "request of \(path) has \(request.byteCount) bytes, limit \(maxRequestBytes)"
        ).withheld
    }
}

/// How often a call may be attempted. Attempts that surely reached no handler are made again in any case.
public indirect enum AttemptPolicy: Sendable, Equatable {
    case once
    case retry(RetryPolicy)
    case hedge(HedgingPolicy)

    var retryPolicy: RetryPolicy? { if case .retry(let policy) = self { policy } else { nil } }
}
