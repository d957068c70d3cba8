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
    let ejections: EjectionCounters
    private let resolver: Resolver
    let healthService: String
    let group: any EventLoopGroup
    package let logger: Logger
    let state: Mutex<State>
    let line: PickLine
    /// Who waits for the first endpoint to be ready.
    private let starters = Waiters<Void>()
    /// Endpoints that are about to connect again.
    let pausing = Waiters<Void>()
    private let nudges: AsyncStream<Void>
    private let nudge: AsyncStream<Void>.Continuation

    struct State: ~Copyable {
        var balancer: Balancer<String>
        var chance = PickChance()
        var subchannels: [String: Subchannel] = [:]
        /// Endpoints that are asked what they have to do.
        var asked = 0
        /// What the last look-ups were like.
        var news = ResolverNews()
        var hedges: Hedges
        /// Endpoints that were ejected and have not answered since.
        var ejected: Set<String> = []
        /// When a call last waited for an endpoint.
        var lastAwaited: UInt64?
        var outage: Outage
        /// Of calls in the line: those whose ends in an outage are waited for.
        var awaitedGraces: Set<Duration> = []
        /// Calls that stand in the line.
        var waiting = 0

        init(_ configuration: ChannelConfiguration, now: UInt64) {
            balancer = Balancer(configuration.balancing, isProbed: configuration.probe != nil)
            hedges = Hedges(configuration.hedging)
            outage = Outage(since: now)
        }

        /// What the end of a call has made of its endpoint: ejected, or well again.
        mutating func news(
            of name: String, _ outcome: Balancer<String>.Outcome, now: UInt64
        ) -> (Subchannel, EndpointNews.Change)? {
            guard outcome == .failed || !ejected.isEmpty && outcome == .answered, let subchannel = subchannels[name]
            else { return nil }
            if balancer.isEjected(name, now: now) {
                return ejected.insert(name).inserted ? (subchannel, .ejected) : nil
            }
            return outcome == .answered && ejected.remove(name) != nil ? (subchannel, .ready) : nil
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
                keep: configuration.resolveKeep, maxEndpoints: configuration.maxEndpoints),
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
        state = Mutex(State(configuration, now: NIODeadline.now().uptimeNanoseconds))
        line = PickLine(target: "\(resolver.target)", limit: configuration.maxWaitingCalls)
        calls = ChannelState(configuration.calls, name: "\(resolver.target)", logger: logger)
        ejections = EjectionCounters(target: "\(resolver.target)")
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
                note(resolution)
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
        if let drained { line.fail(drained) }
        // They look again, and find that it drains.
        starters.resume(with: .success(()))
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
                state.ejected.remove(subchannel.name)
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
            state.noteReadiness(now: now)
            return (added, vanished)
        }
        for subchannel in vanished {
            logger.info("endpoint is gone from the name", metadata: ["endpoint": "\(subchannel.name)"])
            subchannel.stop()
        }
        if !vanished.isEmpty { noteOutage() }
        return added
    }

    private func note(_ resolution: Resolution) {
        switch state.withLock({ $0.news.note(resolution.trouble) }) {
        case .trouble(let reason):
            let keeps = resolution.addresses.isEmpty ? "the target has no endpoints" : "keeping the last endpoints"
            logger.warning("\(keeps)", metadata: ["target": "\(target)", "reason": "\(reason)"])
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
            state.noteReadiness(now: now)
        }
        starters.resume(with: .success(()))
        serveLine()
    }

    func becameUnready(_ subchannel: Subchannel, lostConnection: Bool) {
        state.withLock { state in
            guard state.subchannels[subchannel.name] === subchannel else { return }
            if lostConnection {
                state.balancer.lostConnection(subchannel.name)
            } else {
                state.balancer.setReady(subchannel.name, false, now: now)
            }
            state.noteReadiness(now: now)
        }
        noteOutage()
        if lostConnection { nudge.yield() }
    }

    /// - Parameter report: nil: it did not answer.
    func reported(_ subchannel: Subchannel, _ report: EndpointReport?) {
        let (wasSilent, isReady, someWait) = state.withLock { state -> (Bool, Bool, Bool) in
            guard state.subchannels[subchannel.name] === subchannel,
                let endpoint = state.balancer.endpoints[subchannel.name]
            else { return (false, false, false) }
            if let report {
                state.balancer.report(subchannel.name, report, now: now)
            } else {
                state.balancer.fellSilent(subchannel.name, now: now)
            }
            return (endpoint.isSilent, endpoint.ready, state.waiting > 0)
        }
        if someWait { serveLine() }
        guard isReady else { return }
        if report == nil {
            subchannel.tell(.silent, "no answer within \(configuration.probeTimeout)")
        } else if wasSilent {
            subchannel.tell(.ready)
        }
    }

    /// When the endpoint is asked again.
    func nextProbe(of name: String) -> Deadline {
        let wait = state.withLock { state in
            ProbePace.wait(
                among: state.asked, isSilent: state.balancer.isSilent(name), configuration, using: &state.chance)
        }
        return ProbePace.time(after: wait, from: .now(), configuration)
    }

    /// Until an endpoint whose health is not watched is asked how it is again.
    func healthWait() -> Duration {
        state.withLock { state in ProbePace.healthWait(configuration, using: &state.chance) }
    }

    /// - Parameter endpoints: how many more of them are asked.
    func asks(_ endpoints: Int) { state.withLock { $0.asked += endpoints } }

    // ---- connecting again ----

    /// Before the next attempt to connect; shorter while calls wait for an endpoint, or begin to.
    func pause(_ pace: ReconnectPace) async {
        let start = NIODeadline.now()
        let limit = Waiters<Void>.Limit(Deadline(instant: start + TimeAmount(pace.wait)), on: group.any()) {
            RPCError(.deadlineExceeded, "the wait is over")
        }
        // It ends with an error in any case but one.
        let isAwaited: Void? = try? await pausing.wait("the channel ends", until: limit) {
            self.isAwaited ? .success(()) : nil
        }
        guard isAwaited != nil else { return }
        try? await Task.sleep(for: Deadline(instant: start + TimeAmount(pace.whileAwaited)).remaining)
    }

    private var isAwaited: Bool {
        let (isNow, last) = state.withLock { ($0.waiting > 0, $0.lastAwaited) }
        if isNow { return true }
        guard let last else { return false }
        return now - min(now, last) < UInt64(nanoseconds: ReconnectPace.patience)
    }

    var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    // ---- what people see ----

    /// Waits until an endpoint is ready.
    /// - Throws: `RPCError` UNAVAILABLE that says what was tried, or that the channel drains.
    public func waitUntilReady(timeout: Duration) async throws {
        let limit = Waiters<Void>.Limit(.after(timeout), on: group.any()) { [self] in
            RPCError(.unavailable, "no endpoint of \(target) is ready after \(timeout) (\(troubles()))").withheld
        }
        while !state.withLock({ $0.balancer.anyReady }) {
            try await awaiting {
                try await starters.wait("call was cancelled while it waited for an endpoint of \(target)", until: limit)
                {
                    calls.isDraining || state.withLock { $0.balancer.anyReady } ? .success(()) : nil
                }
            }
            try calls.checkOpen()
        }
    }

    /// What a call has to expect here; nil: no endpoint would take it.
    public var outlook: EndpointOutlook? {
        let now = now
        return state.withLock { $0.balancer.outlook(now: now) }
    }

    /// Calls that wait for an endpoint.
    public var waitingCalls: Int { state.withLock { $0.waiting } }

    /// Every endpoint, sorted by name.
    public func endpoints() -> [EndpointState] {
        let now = now
        return state.withLock { state in
            state.subchannels.values.map { subchannel in
                let numbers = state.balancer.endpoints[subchannel.name] ?? BalancedEndpoint()
                return EndpointState(
                    name: subchannel.name,
                    state: numbers.ready ? numbers.readyState(now: now) : subchannel.unreadyState,
                    reason: numbers.ready ? numbers.hindrance(now: now) : subchannel.reason,
                    outstanding: numbers.outstanding,
                    latency: .nanoseconds(Int64(numbers.ewma)), calls: numbers.calls, failures: numbers.failures,
                    p99: numbers.latencies.quantile(0.99).map { .nanoseconds(Int64(clamping: $0)) },
                    ejections: numbers.everEjected, report: numbers.report)
            }
        }.sorted { $0.name < $1.name }
    }

    func troubles() -> String {
        let trouble = state.withLock { $0.news.trouble }
        let endpoints = endpoints()
        if endpoints.isEmpty { return trouble ?? "it was not resolved yet" }
        return endpoints.prefix(4).map { "\($0.name): \($0.reason ?? "\($0.state)")" }.joined(separator: "; ")
    }
}

extension BalancedChannel.State {
    /// To be called when an endpoint may have become ready, or not.
    mutating func noteReadiness(now: UInt64) { outage.note(anyReady: balancer.anyReady, now: now) }
}
