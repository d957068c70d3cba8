import RPC

/// Which endpoint gets the next call: power of two choices over peak-EWMA latency × load.
///
/// A plain value: time (nanoseconds of any monotonic clock) and chance are passed in.
/// Sources: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001); Finagle's "Peak EWMA"; for
/// outliers, gRPC's proposal A50, whose rules need five endpoints where these need two.
struct Balancer<ID: Hashable & Sendable>: Sendable {
    /// The latency average forgets over about this time.
    static var decay: Double { 10e9 }
    /// A newcomer counts as this slow until it has answered, where no other has.
    static var initialLatency: Double { 1e6 }
    /// A failed call counts as at least this slow, so that failing fast attracts nothing.
    static var failureLatency: Double { 1e9 }
    /// An endpoint without calls is forgiven half of its latency in this time, or it would never be asked again.
    static var idleHalfLife: Double { 1e9 }
    /// Costs that differ by less are the same, and who has fewer calls for its share gets the next: averages always differ a little, and the
    /// better one of two would have all.
    static var alike: Double { 1.5 }
    /// A newcomer's first share.
    static var firstShare: Double { 0.1 }
    /// The failure rate is that of about so many calls, and says nothing before.
    static var rateCalls: Int { 16 }
    /// Calls that waited for an endpoint and get it before it has said how many it takes.
    static var callsBeforeReport: Int { 16 }
    /// Calls that an endpoint is believed to have.
    static var mostLoad: Int { 1 << 20 }
    /// Work that an endpoint is believed to have.
    static var longestWait: Duration { .seconds(600) }
    /// Calls for each that an endpoint runs at one time, from which on other zones count as much as the own one.
    static var fullZone: Double { 2 }
    /// The same, from which on a hedge would only lengthen the queue.
    static var fullForHedges: Double { 2 }

    /// What the end of a call says of its endpoint.
    enum Outcome: Sendable {
        case answered
        /// The endpoint is to blame, not the request.
        case failed
        /// It did not answer by a deadline that was long enough: it is to blame if it answered nobody else meanwhile, else it
        /// is busy.
        case late
        /// It answered, but its time says nothing: a stream lasts as long as its client wants.
        case streamed
        /// It was given up before it took longer than usual: that says nothing, nor does it show that something moves.
        case abandoned
        /// It was given up after it took longer than usual.
        case overdue
        /// It says nothing: a refusal is fast.
        case unmeasured
    }

    private(set) var endpoints: [ID: BalancedEndpoint] = [:]
    let rules: BalancingRules
    /// Endpoints are asked what they say of themselves.
    private let isProbed: Bool
    /// The ready ones.
    private var ready: [ID] = []
    /// Until then some endpoint may be ejected.
    private var someEjectedUntil: UInt64 = 0
    private var hasPriorities = false
    /// Endpoints that are full, at least to some clients, or silent.
    private var hindered = 0
    private var running = RunningCalls()
    /// Endpoints that there were so far: one that left and came again is another one.
    private var generations: UInt64 = 0

    init(_ rules: BalancingRules = BalancingRules(), isProbed: Bool = false) {
        self.rules = rules
        self.isProbed = isProbed
    }

    // ---- endpoints ----

    /// The first time that an endpoint is ready on a new connection, it starts without a past.
    mutating func setReady(_ id: ID, _ isReady: Bool, now: UInt64) {
        if endpoints[id] == nil {
            generations += 1
            var endpoint = BalancedEndpoint()
            endpoint.generation = generations
            endpoints[id] = endpoint
        }
        if isReady, endpoints[id]?.isNew == true {
            let latency = typicalLatency
            change(id) { $0.begin(latency: latency, now: now) }
        }
        endpoints[id]?.ready = isReady
        setListed(id, isReady)
    }

    /// Of the ready endpoints that have answered.
    private var typicalLatency: Double {
        let known = ready.compactMap { endpoints[$0] }.filter(\.isMeasured)
        return known.isEmpty ? Self.initialLatency : known.reduce(0) { $0 + $1.ewma } / Double(known.count)
    }

    /// What DNS says of an endpoint that is there.
    mutating func place(_ id: ID, priority: Int, weight: Double) {
        endpoints[id]?.priority = priority
        endpoints[id]?.weight = weight
        if priority != 0 { hasPriorities = true }
    }

    mutating func report(_ id: ID, _ report: EndpointReport, now: UInt64) {
        let rules = rules
        change(id) { $0.take(report, rules, now: now) }
    }

    /// It did not answer in time. Calls go elsewhere until it reports.
    mutating func fellSilent(_ id: ID, now: UInt64) {
        change(id) { $0.silentSince = $0.silentSince ?? now }
    }

    private mutating func setListed(_ id: ID, _ isReady: Bool) {
        let place = ready.firstIndex(of: id)
        if isReady, place == nil { ready.append(id) }
        if !isReady, let place { ready.remove(at: place) }
    }

    /// Its connection is lost; calls that ran there may still end, and say so, after this.
    mutating func lostConnection(_ id: ID) {
        change(id) { endpoint in
            endpoint.ready = false
            endpoint.isNew = true
            endpoint.silentSince = nil
        }
        setListed(id, false)
    }

    mutating func remove(_ id: ID) {
        change(id) { $0 = BalancedEndpoint() }
        endpoints[id] = nil
        setListed(id, false)
    }

    /// Which one of those that had the name, one after the other; 0: there is none.
    func generation(of id: ID) -> UInt64 { endpoints[id]?.generation ?? 0 }

    var anyReady: Bool { !ready.isEmpty }

    var readyCount: Int { ready.count }

    /// A ready endpoint is neither `id` nor among `tried`.
    func anyReady(besides id: ID, _ tried: Set<ID> = []) -> Bool {
        ready.contains { $0 != id && !tried.contains($0) }
    }

    func isEjected(_ id: ID, now: UInt64) -> Bool { (endpoints[id]?.ejectedUntil ?? 0) > now }

    func isSilent(_ id: ID) -> Bool { endpoints[id]?.isSilent == true }

    private func isHindered(_ endpoint: BalancedEndpoint) -> Bool {
        endpoint.isSilent || endpoint.outstanding >= rules.maxInFlight - rules.roomForOthers
    }

    /// Calls on an endpoint from which on it is full to this client: the last places are for those that have few calls, or one
    /// that comes seldom would wait behind those that always wait.
    private func limit(of client: UInt64?) -> Int {
        guard let client, running.count(of: client) >= rules.roomForOthers else { return rules.maxInFlight }
        return rules.maxInFlight - rules.roomForOthers
    }

    private mutating func change(_ id: ID, _ body: (inout BalancedEndpoint) -> Void) {
        guard let place = endpoints.index(forKey: id) else { return }
        let before = isHindered(endpoints.values[place])
        body(&endpoints.values[place])
        hindered += (isHindered(endpoints.values[place]) ? 1 : 0) - (before ? 1 : 0)
    }

    // ---- picking ----

    /// A ready endpoint with room, not among `tried` unless there is no other; the call counts as started. Nil: there is
    /// none.
    /// - Parameters:
    ///   - isStream: it lasts as long as its client wants.
    ///   - sparing: only what `hasSpareRoom`.
    ///   - client: whose call it is; nil: nobody's that others are to be spared.
    mutating func pick(
        excluding tried: Set<ID> = [], _ demand: EndpointDemand = EndpointDemand(), isStream: Bool = false,
        sparing: Bool = false, of client: UInt64? = nil, now: UInt64, using random: inout some RandomNumberGenerator
    ) -> ID? {
        let choices = choices(excluding: tried, demand, sparing: sparing, of: client, now: now)
        guard let first = choices.randomElement(using: &random) else { return nil }
        var best = first
        if choices.count > 1 {
            var second = first
            while second == first { second = choices.randomElement(using: &random) ?? first }
            // Streams stay where they are put.
            if isCheaper(second, than: first, margin: isStream ? 1 : Self.alike, now: now) { best = second }
        }
        change(best) { $0.start(isStream: isStream, isSuspect: demand.isSuspect, now: now) }
        if let client { running.begin(client) }
        return best
    }

    private func isCheaper(_ id: ID, than other: ID, margin: Double, now: UInt64) -> Bool {
        guard let this = endpoints[id]?.price(rules, now: now), let other = endpoints[other]?.price(rules, now: now)
        else {
            return false
        }
        if this.cost * margin < other.cost { return true }
        return other.cost * margin >= this.cost && this.load < other.load
    }

    /// Of those that calls go to, the well endpoint with room that a call costs least on; nil: there is none.
    func outlook(now: UInt64) -> EndpointOutlook? {
        let open = ready.filter { isWell($0, now: now) && (endpoints[$0]?.outstanding ?? 0) < rules.maxInFlight }
        let choices = preferred(open).compactMap { endpoints[$0] }.map { ($0, cost: $0.price(rules, now: now).cost) }
        return choices.min { $0.cost < $1.cost }.map { endpoint, cost in
            EndpointOutlook(cost: endpoint.isMeasured ? cost : nil, fill: endpoint.fill)
        }
    }

    private func choices(
        excluding tried: Set<ID>, _ demand: EndpointDemand, sparing: Bool, of client: UInt64?, now: UInt64
    ) -> [ID] {
        if tried.isEmpty, someEjectedUntil <= now, hindered == 0, !hasPriorities, rules.zone.isEmpty, !sparing,
            demand == EndpointDemand()
        {
            return ready
        }
        var open = ready
        if hindered > 0 {
            let limit = limit(of: client)
            open.removeAll { (endpoints[$0]?.outstanding ?? 0) >= limit }
        }
        if sparing { open.removeAll { endpoints[$0]?.hasSpareRoom(isProbed: isProbed) != true } }
        if demand.isHedge { return preferred(open.filter { !tried.contains($0) && takesHedges($0, now: now) }) }
        if demand.isSuspect { return choicesOfSuspect(open, excluding: tried, demand, now: now) }
        let untried = open.filter { !tried.contains($0) }
        // Rather an ejected or tried endpoint than none: that is the panic mode, in which the least bad one serves.
        if untried.isEmpty { return demand.elsewhereOnly ? [] : preferred(open) }
        let well = untried.filter { isWell($0, now: now) }
        return preferred(well.isEmpty ? untried : well)
    }

    /// Where no other suspect runs. While one runs on each endpoint that is well, it waits rather than go to one that is
    /// not.
    private func choicesOfSuspect(
        _ open: [ID], excluding tried: Set<ID>, _ demand: EndpointDemand, now: UInt64
    ) -> [ID] {
        let well = open.filter { isWell($0, now: now) }
        let free = (well.isEmpty ? open : well).filter { endpoints[$0]?.suspects == 0 }
        let untried = free.filter { !tried.contains($0) }
        return untried.isEmpty ? (demand.elsewhereOnly ? [] : preferred(free)) : preferred(untried)
    }

    private func isWell(_ id: ID, now: UInt64) -> Bool { !isEjected(id, now: now) && endpoints[id]?.isSilent == false }

    private func takesHedges(_ id: ID, now: UInt64) -> Bool {
        guard isWell(id, now: now), let endpoint = endpoints[id] else { return false }
        return endpoint.suspects == 0 && endpoint.fill < Self.fullForHedges
    }

    /// Those of the lowest priority; of these, those of the own zone while one of them has room.
    private func preferred(_ choices: [ID]) -> [ID] {
        var choices = choices
        if hasPriorities, let lowest = choices.map({ endpoints[$0]?.priority ?? 0 }).min() {
            choices = choices.filter { endpoints[$0]?.priority == lowest }
        }
        guard !rules.zone.isEmpty else { return choices }
        let near = choices.filter { endpoints[$0]?.report.zone == rules.zone }
        return near.contains { (endpoints[$0]?.fill ?? 0) < Self.fullZone } ? near : choices
    }

    /// What `pick` returned was not used after all.
    mutating func unpick(
        _ id: ID, isStream: Bool = false, isSuspect: Bool = false, of client: UInt64? = nil, now: UInt64
    ) {
        if let client { running.end(client) }
        change(id) { endpoint in
            endpoint.end(isStream: isStream, isSuspect: isSuspect, isProgress: false, now: now)
            endpoint.calls -= min(1, endpoint.calls)
        }
    }

    // ---- what comes of it ----

    /// A call of `pick` ended.
    /// - Parameter generation: of the endpoint that was picked; nil: of the one that is there.
    /// - Returns: what that is to the endpoint: `late` is settled.
    @discardableResult
    mutating func finished(
        _ id: ID, latency: UInt64, _ outcome: Outcome, isStream: Bool = false, isSuspect: Bool = false,
        of client: UInt64? = nil, generation: UInt64? = nil, now: UInt64
    ) -> Outcome {
        if let client { running.end(client) }
        // It ran on one that has left: the successor of that name did not count it.
        if let generation, generation != self.generation(of: id) { return .unmeasured }
        let rules = rules
        var outcome = outcome
        if outcome == .late, endpoints[id]?.hasAnswered(since: now - min(now, latency)) == false { outcome = .failed }
        let isProgress = outcome != .overdue && outcome != .abandoned && outcome != .late
        change(id) { endpoint in
            endpoint.end(isStream: isStream, isSuspect: isSuspect, isProgress: isProgress, now: now)
            switch outcome {
            case .answered:
                endpoint.learn(Double(latency), now: now)
                endpoint.latencies.add(latency)
                endpoint.answered(rules, now: now)
            case .streamed: endpoint.answered(rules, now: now)
            case .failed: endpoint.failed(Double(latency), now: now)
            case .overdue, .late: endpoint.wasOverdue(Double(latency), now: now)
            case .abandoned, .unmeasured: break
            }
        }
        if outcome == .failed { ejectIfBad(id, now: now) }
        return outcome
    }

    /// Never more than half of the ready endpoints are out at once.
    private func mayEject(now: UInt64) -> Bool {
        let out = ready.count { isEjected($0, now: now) }
        return (out + 1) * 2 <= ready.count
    }

    private mutating func ejectIfBad(_ id: ID, now: UInt64) {
        guard let endpoint = endpoints[id], endpoint.ejectedUntil <= now else { return }
        guard endpoint.failuresInARow >= rules.failuresToEject || isOutlier(id, endpoint), mayEject(now: now) else {
            return
        }
        let rules = rules
        change(id) { $0.eject(rules, now: now) }
        someEjectedUntil = max(someEjectedUntil, endpoints[id]?.ejectedUntil ?? 0)
    }

    /// Where all fail, it is not the endpoint.
    private func isOutlier(_ id: ID, _ endpoint: BalancedEndpoint) -> Bool {
        guard endpoint.rated >= Self.rateCalls, endpoint.failureRate >= rules.failureRateToEject else { return false }
        let others = ready.filter { $0 != id }.compactMap { endpoints[$0]?.failureRate }
        return others.reduce(0, +) * 3 <= endpoint.failureRate * Double(others.count)
    }
}
