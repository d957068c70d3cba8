public import Logging
public import NIOCore
import RPC
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
    private let state: Mutex<State>
    let waitingCalls: WaitingCalls
    private let waiters = Waiters<Void>()
    private let nudges: AsyncStream<Void>
    private let nudge: AsyncStream<Void>.Continuation

    struct State: ~Copyable {
        var balancer: Balancer<String>
        var subchannels: [String: Subchannel] = [:]
        /// What the last look-ups were like.
        var news = ResolverNews()
        var hedges: Hedges

        init(_ configuration: ChannelConfiguration) {
            balancer = Balancer(configuration.balancing)
            hedges = Hedges(configuration.hedging)
        }
    }

    /// - Parameter healthService: the name asked of `grpc.health.v1.Health`; empty means the whole server.
    public convenience init(
        target: Target, healthService: String, configuration: ChannelConfiguration = .init(),
        group: any EventLoopGroup, logger: Logger
    ) {
        self.init(
            Resolver(
                target: target, service: DNSNameService(configuration: configuration.dns),
                keep: configuration.resolveKeep),
            healthService: healthService, configuration: configuration, group: group, logger: logger)
    }

    init(
        _ resolver: Resolver, healthService: String, configuration: ChannelConfiguration, group: any EventLoopGroup,
        logger: Logger
    ) {
        target = resolver.target
        self.resolver = resolver
        self.healthService = healthService
        self.configuration = configuration
        state = Mutex(State(configuration))
        waitingCalls = WaitingCalls(limit: configuration.maxWaitingCalls)
        calls = ChannelState(configuration.calls, name: "\(resolver.target)", logger: logger)
        budget = configuration.budget ?? MemoryBudget(limit: MemoryBudget.shared.limit)
        self.group = group
        self.logger = logger
        (nudges, nudge) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    public func run() async {
        await withDiscardingTaskGroup { tasks in
            var resolver = resolver
            var random = SystemRandomNumberGenerator()
            var timer: Scheduled<Void>?
            nudge.yield()
            for await _ in nudges {
                timer?.cancel()
                let resolution = await resolver.resolve()
                if Task.isCancelled { break }
                for added in apply(resolution.addresses) { tasks.addTask { await added.run() } }
                note(resolution.trouble)
                let wait = ResolvePace.wait(after: resolution, configuration, using: &random)
                timer = group.any().scheduleTask(in: TimeAmount(wait)) { [nudge] in _ = nudge.yield() }
                // Lost connections ask for a look-up each; what was asked meanwhile is asked once.
                try? await Task.sleep(for: configuration.resolvePause)
            }
            timer?.cancel()
            drain()
            tasks.cancelAll()
        }
    }

    /// No new calls, no more attempts; what waits for an endpoint fails, what runs may finish, then the connections
    /// end.
    public func drain() { end { $0.stop() } }

    /// Ends the connections, with all that runs on them.
    public func close() { end { $0.close() } }

    private func end(_ body: (Subchannel) -> Void) {
        calls.drain()
        // They look again, and find that it drains.
        waiters.resume(with: .success(()))
        for subchannel in state.withLock({ Array($0.subchannels.values) }) { body(subchannel) }
    }

    /// Applies what the resolver said: new endpoints are returned to be run, vanished ones drain.
    private func apply(_ addresses: [ResolvedAddress]) -> [Subchannel] {
        let now = now
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
                state.balancer.setReady(subchannel.name, false, now: now)
            }
            for (name, address) in wanted {
                state.balancer.place(name, priority: address.priority, weight: address.weight)
            }
            return (added, vanished)
        }
        for subchannel in vanished {
            logger.info("endpoint is gone from the name", metadata: ["endpoint": "\(subchannel.name)"])
            subchannel.stop()
        }
        return added
    }

    private func note(_ trouble: String?) {
        switch state.withLock({ $0.news.note(trouble) }) {
        case .trouble(let reason):
            logger.warning("keeping the last endpoints", metadata: ["target": "\(target)", "reason": "\(reason)"])
        case .well: logger.info("the target is resolved again", metadata: ["target": "\(target)"])
        case nil: break
        }
    }

    /// Another look-up, soon.
    func resolveAgain() { nudge.yield() }

    // ---- what subchannels report ----

    func becameReady(_ subchannel: Subchannel) {
        state.withLock { state in
            // One that vanished may have a successor of the same name.
            guard state.subchannels[subchannel.name] === subchannel else { return }
            state.balancer.setReady(subchannel.name, true, now: now)
        }
        waiters.resume(with: .success(()))
    }

    func becameUnready(_ subchannel: Subchannel, lostConnection: Bool) {
        state.withLock { state in
            guard state.subchannels[subchannel.name] === subchannel else { return }
            if lostConnection {
                state.balancer.lostConnection(subchannel.name)
            } else {
                state.balancer.setReady(subchannel.name, false, now: now)
            }
        }
        if lostConnection { nudge.yield() }
    }

    /// - Parameter report: nil: it did not answer.
    func reported(_ subchannel: Subchannel, _ report: EndpointReport?) {
        state.withLock { state in
            guard state.subchannels[subchannel.name] === subchannel else { return }
            if let report {
                state.balancer.report(subchannel.name, report)
            } else {
                state.balancer.fellSilent(subchannel.name)
            }
        }
    }

    // ---- picking ----

    var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    private func tryPick(_ attempt: NextAttempt, isStream: Bool) -> (String, RPCConnection)? {
        let now = now
        return state.withLock { tryPick(attempt, isStream: isStream, now: now, &$0) }
    }

    private func tryPick(
        _ attempt: NextAttempt, isStream: Bool, now: UInt64, _ state: inout State
    ) -> (String, RPCConnection)? {
        let demand = attempt.demand
        var random = SystemRandomNumberGenerator()
        while let name = state.balancer.pick(
            excluding: attempt.tried, demand, isStream: isStream, now: now, using: &random)
        {
            if let connection = state.subchannels[name]?.usableConnection { return (name, connection) }
            // Told to go away since its last health report: it will connect again by itself.
            state.balancer.unpick(name, isStream: isStream, isSuspect: demand.isSuspect, now: now)
            state.balancer.setReady(name, false, now: now)
        }
        return nil
    }

    /// A ready endpoint with room; waits for one within the deadline and, unless the call waits for ready, `readyTimeout`.
    /// A suspect waits its turn until the deadline.
    func pick(_ attempt: NextAttempt, isStream: Bool) async throws -> (String, RPCConnection) {
        if let picked = tryPick(attempt, isStream: isStream) { return picked }
        if attempt.demand.elsewhereOnly {
            throw RPCError(.unavailable, "no other endpoint of \(target) has room", neverStarted: true)
        }
        let limit = limit(of: attempt)
        while true {
            try await waitForRoom(for: attempt, until: limit)
            if let picked = tryPick(attempt, isStream: isStream) { return picked }
        }
    }

    /// After how long a call of `path` is worth a second attempt; nil: it is not known yet, or there are fewer endpoints.
    func hedgeDelay(of path: String, among count: Int) -> Duration? {
        state.withLock { state in
            state.balancer.readyCount >= count ? state.hedges.delay(of: path).map { .nanoseconds(Int64($0)) } : nil
        }
    }

    func pickHedge(_ attempt: NextAttempt) -> (String, RPCConnection)? {
        let now = now
        return state.withLock { state in
            guard state.hedges.mayHedge, let picked = tryPick(attempt, isStream: false, now: now, &state) else {
                return nil
            }
            state.hedges.hedged()
            return picked
        }
    }

    private func limit(of attempt: NextAttempt) -> Waiters<Void>.Limit? {
        let options = attempt.options
        let start = NIODeadline.now()
        let isPatient = options.waitForReady == true || attempt.demand.isSuspect && options.deadline != nil
        let patience: Deadline? = isPatient ? nil : .after(configuration.readyTimeout)
        guard let deadline = [patience, options.deadline].compactMap({ $0 }).min() else { return nil }
        let code: StatusCode = deadline == options.deadline ? .deadlineExceeded : .unavailable
        return Waiters.Limit(deadline, on: group.any()) { [self] in
            let waited = Double((NIODeadline.now() - start).nanoseconds / 1_000_000) / 1000
            if state.withLock({ $0.balancer.anyReady }) {
                if attempt.demand.isSuspect {
                    return RPCError(
                        code,
                        "its connection broke, and other such calls ran on each endpoint of \(target) for \(waited) s",
                        neverStarted: true)
                }
                return RPCError(
                    code == .unavailable ? .resourceExhausted : code,
                    "every endpoint of \(target) still runs \(configuration.balancing.maxInFlight) calls after \(waited) s",
                    neverStarted: true)
            }
            return RPCError(
                code, "no endpoint of \(target) is ready after \(waited) s (\(troubles()))", neverStarted: true)
        }
    }

    /// - Parameter attempt: nil: any call.
    private func waitForRoom(for attempt: NextAttempt? = nil, until limit: Waiters<Void>.Limit?) async throws {
        let demand = attempt?.demand ?? EndpointDemand()
        try await waitingCalls.with(for: "\(target)") {
            try await waiters.wait("call was cancelled while it waited for an endpoint of \(target)", until: limit) {
                calls.isDraining || state.withLock { $0.balancer.hasRoom(for: demand, now: now) } ? .success(()) : nil
            }
        }
        try calls.checkOpen()
    }

    func finished(
        _ supplied: SuppliedConnection, latency: UInt64, _ outcome: Balancer<String>.Outcome, isStream: Bool,
        now: UInt64
    ) {
        let measures = configuration.isLastHop && !isStream
        let madeRoom = state.withLock { state in
            var outcome = outcome
            if measures {
                switch outcome {
                case .answered: state.hedges.answered(supplied.path, after: latency)
                case .abandoned where state.hedges.isOverdue(supplied.path, after: latency):
                    state.hedges.gaveUp(supplied.path, after: latency)
                    outcome = .overdue
                default: break
                }
            }
            return state.balancer.finished(
                supplied.name, latency: latency, outcome, isStream: isStream, isSuspect: supplied.isSuspect, now: now)
        }
        if madeRoom { waiters.resume(with: .success(())) }
    }

    public func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool {
        state.withLock { $0.balancer.anyReady(besides: endpoint, tried) }
    }

    func connection(to name: String) -> RPCConnection? {
        state.withLock { $0.subchannels[name]?.usableConnection }
    }

    // ---- what people see ----

    /// Waits until an endpoint is ready.
    /// - Throws: `RPCError` UNAVAILABLE that says what was tried, or that the channel drains.
    public func waitUntilReady(timeout: Duration) async throws {
        let limit = Waiters<Void>.Limit(.after(timeout), on: group.any()) { [self] in
            RPCError(.unavailable, "no endpoint of \(target) is ready after \(timeout) (\(troubles()))").withheld
        }
        while !state.withLock({ $0.balancer.anyReady }) { try await waitForRoom(until: limit) }
    }

    /// Every endpoint, sorted by name.
    public func endpoints() -> [EndpointState] {
        let now = now
        return state.withLock { state in
            state.subchannels.values.map { subchannel in
                let numbers = state.balancer.endpoints[subchannel.name] ?? BalancedEndpoint()
                return EndpointState(
                    name: subchannel.name,
                    state: numbers.ready ? numbers.readyState(now: now) : subchannel.unreadyState,
                    reason: numbers.ready ? nil : subchannel.reason, outstanding: numbers.outstanding,
                    latency: .nanoseconds(Int64(numbers.ewma)), calls: numbers.calls, failures: numbers.failures,
                    p99: numbers.latencies.quantile(0.99).map { .nanoseconds(Int64(clamping: $0)) },
                    ejections: numbers.everEjected, report: numbers.report)
            }
        }.sorted { $0.name < $1.name }
    }

    private func troubles() -> String {
        let trouble = state.withLock { $0.news.trouble }
        let endpoints = endpoints()
        if endpoints.isEmpty { return trouble ?? "it was not resolved yet" }
        return endpoints.prefix(4).map { "\($0.name): \($0.reason ?? "\($0.state)")" }.joined(separator: "; ")
    }
}
