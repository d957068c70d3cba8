import Synchronization

/// `grpc.health.v1.Health`: Check, Watch, and List (gRPC proposal A90). The empty name is the whole server.
///
///     let health = HealthService()
///     health.set(.serving)
///
/// A watcher that reads slowly gets the newest status only. When the server drains, every service is NOT_SERVING and
/// the watches end, so that they hold up nothing.
public final class HealthService: RPCService {
    /// `HealthCheckResponse.ServingStatus`.
    public enum Status: UInt32, Sendable { case unknown = 0, serving, notServing, serviceUnknown }

    public static let defaultMaxWatches = 1024

    /// gRPC proposal A90.
    public static let defaultMaxListed = 100

    /// A request is a name; protobuf-c takes many times the memory of the bytes that it reads.
    public static let defaultMaxRequestBytes = 1024

    private struct Watcher {
        let origin: CallOrigin
        /// nil: it has not told it yet.
        var service: String?
        var statuses: AsyncStream<Status>.Continuation
    }

    private struct State {
        var statuses: [String: Status] = [:]
        var watchers: [UInt64: Watcher] = [:]
        var nextWatcher: UInt64 = 0
        /// Of addresses that watch.
        var accounts: [CallOrigin: FairPool.Account] = [:]
        var isDraining = false

        func status(of service: String) -> Status { statuses[service] ?? .serviceUnknown }
    }

    private let state = Mutex(State())

    private let watches: FairPool
    private let maxListed: Int
    private let maxRequestBytes: Int

    /// - Parameters:
    ///   - maxWatches: calls of Watch at one time, all services together; over it RESOURCE_EXHAUSTED.
    ///   - addressShare: of those, what one address may have of what the others leave; over it RESOURCE_EXHAUSTED. Anybody may
    ///     watch, and who can't takes the server for lost.
    ///   - maxListed: names in an answer of List; if there are more, RESOURCE_EXHAUSTED.
    ///   - maxRequestBytes: of one request, which is a name; if it is longer, RESOURCE_EXHAUSTED.
    public init(
        maxWatches: Int = HealthService.defaultMaxWatches, addressShare: Double = 0.5,
        maxListed: Int = HealthService.defaultMaxListed, maxRequestBytes: Int = HealthService.defaultMaxRequestBytes
    ) {
        watches = FairPool(limit: maxWatches, share: addressShare)
        self.maxListed = maxListed
        self.maxRequestBytes = maxRequestBytes
    }

    /// Ignored once the server drains.
    public func set(_ status: Status, for service: String = "") {
        state.withLock { state in
            guard !state.isDraining, state.statuses[service] != status else { return }
            state.statuses[service] = status
            for watcher in state.watchers.values where watcher.service == service { watcher.statuses.yield(status) }
        }
    }

    public func drain() {
        state.withLock { state in
            state.isDraining = true
            for service in state.statuses.keys { state.statuses[service] = .notServing }
            for watcher in state.watchers.values {
                if let service = watcher.service { watcher.statuses.yield(state.status(of: service)) }
                watcher.statuses.finish()
            }
        }
    }

    public var serviceName: String { "grpc.health.v1.Health" }

    public var descriptors: DescriptorSet? { .rpc }

    /// Anybody may ask for it.
    public func limits(of method: String) -> MethodLimits {
        MethodLimits(maxRequestBytes: maxRequestBytes)
    }

    public var methods: [String: RPCHandler] {
        [
            "Check": .immediate { [self] _, request in
                UnaryResponse(
                    Payload(HealthMessages.response(try check(HealthMessages.service(of: request.message)))))
            },
            "List": .immediate { [self] _, _ in UnaryResponse(Payload(HealthMessages.list(try list()))) },
            "Watch": .stream { [self] context, requests, responses in
                try await watch(try await Self.service(of: requests), for: context.origin) { status in
                    try await responses.write(Payload(HealthMessages.response(status)))
                }
            },
        ]
    }

    private static func service(of requests: MessageStream) async throws -> String {
        var iterator = requests.makeAsyncIterator()
        guard let request = try await iterator.next() else {
            throw RPCError(.invalidArgument, "Watch needs one HealthCheckRequest, there was none")
        }
        return try HealthMessages.service(of: request.message)
    }

    func check(_ service: String) throws(RPCError) -> Status {
        guard let status = state.withLock({ $0.statuses[service] }) else {
            throw RPCError(.notFound, "service '\(service)' is not known here")
        }
        return status
    }

    func list() throws(RPCError) -> [String: Status] {
        let statuses = state.withLock { $0.statuses }
        guard statuses.count <= maxListed else {
            throw RPCError(
                .resourceExhausted, "\(statuses.count) services have a health, at most \(maxListed) are listed",
                limit: .listedServices)
        }
        return statuses
    }

    /// Calls `report` with the status now and at each change, until the task is cancelled or the server drains.
    /// - Parameter service: may take its time; the watch counts from before.
    func watch(
        _ service: @autoclosure () async throws -> String, for origin: CallOrigin,
        report: (Status) async throws -> Void
    ) async throws {
        let (statuses, continuation) = AsyncStream.makeStream(of: Status.self, bufferingPolicy: .bufferingNewest(1))
        let id = try add(Watcher(origin: origin, statuses: continuation))
        defer { remove(id) }
        let service = try await service()
        state.withLock { state in
            state.watchers[id]?.service = service
            continuation.yield(state.status(of: service))
            if state.isDraining { continuation.finish() }
        }
        var last: Status?
        for await status in statuses where status != last {
            try await report(status)
            last = status
        }
    }

    private func add(_ watcher: Watcher) throws(RPCError) -> UInt64 {
        try state.withLock { state throws(RPCError) in
            let account = state.accounts[watcher.origin] ?? FairPool.Account()
            guard watches.take(1, for: account) == 1 else {
                throw RPCError(
                    .resourceExhausted,
                    "\(watches.count) health watches are open, \(account.count) of this address; limit \(watches.limit)",
                    limit: .healthWatches)
            }
            state.accounts[watcher.origin] = account
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = watcher
            return state.nextWatcher
        }
    }

    private func remove(_ id: UInt64) {
        state.withLock { state in
            guard let watcher = state.watchers.removeValue(forKey: id), let account = state.accounts[watcher.origin]
            else { return }
            watches.giveBack(1, of: account)
            if account.count == 0 { state.accounts[watcher.origin] = nil }
        }
    }

    /// Watch calls that are open.
    var watcherCount: Int { state.withLock { $0.watchers.count } }
}
