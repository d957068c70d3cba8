public import Logging
public import NIOCore
public import RPC
import Synchronization

/// A balanced channel to all endpoints of one target.
///
/// `run()` resolves the target again and again, keeps one connection to each endpoint, and watches its health; it
/// ends when its task is cancelled. Calls may start before it does: they wait until an endpoint is ready.
public final class BalancedChannel: Sendable {
    public let target: Target
    let configuration: ChannelConfiguration
    let budget: MemoryBudget
    /// What all calls share.
    let calls: ChannelState
    private let resolver: Resolver
    let healthService: String
    let group: any EventLoopGroup
    let logger: Logger
    private let state = Mutex(State())
    private let nudges: AsyncStream<Void>
    private let nudge: AsyncStream<Void>.Continuation

    struct State: ~Copyable {
        var balancer = Balancer<String>()
        var subchannels: [String: Subchannel] = [:]
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        /// Those that wait, and those that are about to.
        var waitingCalls = 0
        var nextWaiter: UInt64 = 0
        /// Why the last look-up gave nothing.
        var resolverTrouble: String?
    }

    /// - Parameter healthService: the name asked of `grpc.health.v1.Health`; empty means the whole server.
    public convenience init(
        target: Target, healthService: String, configuration: ChannelConfiguration = .init(),
        group: any EventLoopGroup, logger: Logger
    ) {
        self.init(
            Resolver(target: target), healthService: healthService, configuration: configuration, group: group,
            logger: logger)
    }

    init(
        _ resolver: Resolver, healthService: String, configuration: ChannelConfiguration, group: any EventLoopGroup,
        logger: Logger
    ) {
        target = resolver.target
        self.resolver = resolver
        self.healthService = healthService
        self.configuration = configuration
        calls = ChannelState(configuration.calls)
        budget = configuration.budget ?? MemoryBudget(limit: MemoryBudget.defaultLimit)
        self.group = group
        self.logger = logger
        (nudges, nudge) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    public func run() async {
        await withDiscardingTaskGroup { tasks in
            nudge.yield()
            tasks.addTask { [self] in
                while (try? await Task.sleep(for: configuration.resolveInterval)) != nil { nudge.yield() }
            }
            var resolver = resolver
            for await _ in nudges {
                let (addresses, trouble) = await resolver.resolve()
                for added in apply(addresses) { tasks.addTask { await added.run() } }
                noteResolverTrouble(trouble)
                // Lost connections ask for a look-up each; what was asked meanwhile is asked once.
                try? await Task.sleep(for: configuration.resolvePause)
            }
            drain()
            tasks.cancelAll()
        }
    }

    /// No new calls, no more attempts; what runs may finish, then the connections end.
    public func drain() {
        calls.drain()
        for subchannel in state.withLock({ Array($0.subchannels.values) }) { subchannel.stop() }
    }

    /// Ends the connections, with all that runs on them.
    public func close() {
        calls.drain()
        for subchannel in state.withLock({ Array($0.subchannels.values) }) { subchannel.close() }
    }

    /// Applies what the resolver said: new endpoints are returned to be run, vanished ones drain.
    private func apply(_ addresses: [SocketAddress]) -> [Subchannel] {
        // Rather the last good set than none.
        guard !addresses.isEmpty else { return [] }
        let wanted = Dictionary(addresses.map { ($0.endpointName, $0) }) { first, _ in first }
        let (added, vanished): ([Subchannel], [Subchannel]) = state.withLock { state in
            let vanished = state.subchannels.values.filter { wanted[$0.name] == nil }
            for subchannel in vanished {
                state.subchannels[subchannel.name] = nil
                state.balancer.remove(subchannel.name)
            }
            let added = wanted.filter { state.subchannels[$0.key] == nil }.map { name, address in
                Subchannel(name: name, address: address, channel: self)
            }
            for subchannel in added {
                state.subchannels[subchannel.name] = subchannel
                state.balancer.setReady(subchannel.name, false)
            }
            return (added, vanished)
        }
        for subchannel in vanished {
            logger.info("endpoint is gone from the name", metadata: ["endpoint": "\(subchannel.name)"])
            subchannel.stop()
        }
        return added
    }

    /// Said once, not at each look-up. nil: all names were resolved.
    private func noteResolverTrouble(_ reason: String?) {
        let isNews = state.withLock { state in
            defer { state.resolverTrouble = reason }
            return state.resolverTrouble != reason
        }
        if let reason, isNews {
            logger.warning("keeping the last endpoints", metadata: ["target": "\(target)", "reason": "\(reason)"])
        }
    }

    // ---- what subchannels report ----

    func becameReady(_ subchannel: Subchannel) {
        let waiting = state.withLock { state in
            // One that vanished may have a successor of the same name.
            guard state.subchannels[subchannel.name] === subchannel else { return [CheckedContinuation<Void, Never>]() }
            state.balancer.setReady(subchannel.name, true)
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    func becameUnready(_ subchannel: Subchannel, lostConnection: Bool) {
        state.withLock { state in
            guard state.subchannels[subchannel.name] === subchannel else { return }
            if lostConnection {
                state.balancer.lostConnection(subchannel.name)
            } else {
                state.balancer.setReady(subchannel.name, false)
            }
        }
        if lostConnection { nudge.yield() }
    }

    // ---- picking ----

    var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    private func tryPick(excluding tried: Set<String>) -> (String, RPCConnection)? {
        state.withLock { state in
            var random = SystemRandomNumberGenerator()
            while let name = state.balancer.pick(excluding: tried, now: now, using: &random) {
                if let connection = state.subchannels[name]?.usableConnection { return (name, connection) }
                // Told to go away since its last health report: it will connect again by itself.
                state.balancer.unpick(name)
                state.balancer.setReady(name, false)
            }
            return nil
        }
    }

    /// A ready endpoint; waits for one within the deadline and, unless the call waits for ready, `readyTimeout`.
    func pick(excluding tried: Set<String>, _ options: CallOptions) async throws -> (String, RPCConnection) {
        if let picked = tryPick(excluding: tried) { return picked }
        let start = NIODeadline.now()
        let longest = Deadline(instant: .distantFuture)
        let limit = min(
            options.waitForReady == true ? longest : .after(configuration.readyTimeout), options.deadline ?? longest)
        while true {
            try await waitForReady(until: limit)
            if let picked = tryPick(excluding: tried) { return picked }
            if Task.isCancelled { throw RPCError(.cancelled, "call was cancelled") }
            if limit.hasPassed {
                let waited = Double((NIODeadline.now() - start).nanoseconds / 1_000_000) / 1000
                throw RPCError(
                    .unavailable, "no endpoint of \(target) is ready after \(waited) s (\(troubles()))",
                    neverStarted: true)
            }
        }
    }

    private func waitForReady(until limit: Deadline) async throws {
        let ticket: UInt64 = try state.withLock { state throws(RPCError) in
            guard state.waitingCalls < configuration.maxWaitingCalls else {
                throw RPCError(
                    .resourceExhausted,
                    "\(state.waitingCalls) calls wait for \(target), limit \(configuration.maxWaitingCalls)")
            }
            state.waitingCalls += 1
            state.nextWaiter += 1
            return state.nextWaiter
        }
        defer { state.withLock { $0.waitingCalls -= 1 } }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                await withTaskCancellationHandler {
                    await withCheckedContinuation { continuation in
                        let enough = self.state.withLock { state in
                            if state.balancer.anyReady || Task.isCancelled { return true }
                            state.waiting[ticket] = continuation
                            return false
                        }
                        if enough { continuation.resume() }
                    }
                } onCancel: {
                    self.state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
                }
            }
            tasks.addTask { try? await Task.sleep(for: limit.remaining) }
            await tasks.next()
            tasks.cancelAll()
        }
    }

    func finished(_ name: String, latency: UInt64, _ outcome: Balancer<String>.Outcome, now: UInt64) {
        state.withLock { $0.balancer.finished(name, latency: latency, outcome, now: now) }
    }

    /// Calls that wait for an endpoint.
    var waitingCalls: Int { state.withLock { $0.waitingCalls } }

    public func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool {
        state.withLock { $0.balancer.anyReady(besides: endpoint, tried) }
    }

    func connection(to name: String) -> RPCConnection? {
        state.withLock { $0.subchannels[name]?.usableConnection }
    }

    // ---- what people see ----

    /// Waits until an endpoint is ready.
    /// - Throws: `RPCError` UNAVAILABLE that says what was tried.
    public func waitUntilReady(timeout: Duration) async throws {
        let deadline = Deadline.after(timeout)
        while !state.withLock({ $0.balancer.anyReady }) {
            if deadline.hasPassed || Task.isCancelled {
                throw RPCError(.unavailable, "no endpoint of \(target) is ready after \(timeout) (\(troubles()))")
            }
            try await waitForReady(until: deadline)
        }
    }

    /// Every endpoint, sorted by name.
    public func endpoints() -> [EndpointState] {
        let now = now
        return state.withLock { state in
            state.subchannels.values.map { subchannel in
                let numbers = state.balancer.endpoints[subchannel.name] ?? .init()
                let ejected = state.balancer.isEjected(subchannel.name, now: now)
                return EndpointState(
                    name: subchannel.name,
                    state: numbers.ready ? (ejected ? .ejected : .ready) : subchannel.unreadyState,
                    reason: numbers.ready ? nil : subchannel.reason, outstanding: numbers.outstanding,
                    latency: .nanoseconds(Int64(numbers.ewma)), calls: numbers.calls, failures: numbers.failures)
            }
        }.sorted { $0.name < $1.name }
    }

    private func troubles() -> String {
        let trouble = state.withLock { $0.resolverTrouble }
        let endpoints = endpoints()
        if endpoints.isEmpty { return trouble ?? "it was not resolved yet" }
        return endpoints.prefix(4).map { "\($0.name): \($0.reason ?? "\($0.state)")" }.joined(separator: "; ")
    }
}
