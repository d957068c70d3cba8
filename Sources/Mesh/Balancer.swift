/// Which endpoint gets the next call: power of two choices over peak-EWMA latency × outstanding calls.
///
/// A plain value: time (nanoseconds of any monotonic clock) and chance are passed in.
/// Sources: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001); Finagle's "Peak EWMA".
struct Balancer<ID: Hashable & Sendable>: Sendable {
    /// The latency average forgets over about this time.
    static var decay: Double { 10e9 }
    /// A newcomer counts as this slow until it has answered.
    static var initialLatency: Double { 1e6 }
    /// A failed call counts as at least this slow, so that failing fast attracts nothing.
    static var failureLatency: Double { 1e9 }
    /// An endpoint without calls is forgiven half of its latency in this time, or it would never be asked again.
    static var idleHalfLife: Double { 1e9 }
    /// Failures in a row after which an endpoint is ejected.
    static var failuresToEject: Int { 3 }
    static var firstEjection: UInt64 { 1_000_000_000 }
    static var longestEjection: UInt64 { 30_000_000_000 }

    struct Endpoint: Sendable {
        var ready = false
        /// What is known is of a connection, and perhaps a process, that is no more.
        var isOfLostConnection = false
        var outstanding = 0
        /// Nanoseconds.
        var ewma = Balancer.initialLatency
        var updated: UInt64 = 0
        var failuresInARow = 0
        var ejections = 0
        var ejectedUntil: UInt64 = 0
        var calls: UInt64 = 0
        var failures: UInt64 = 0
        /// While one of a lower priority can be chosen, this one is not.
        var priority = 0
        /// The share of calls that it is to have, 1 is average.
        var weight = 1.0

        func cost(now: UInt64) -> Double { forgiven(now: now) * Double(outstanding + 1) / weight }

        /// The latency, less what an idle endpoint is forgiven, down to a newcomer's. What runs there will tell: a busy
        /// one is forgiven nothing.
        func forgiven(now: UInt64) -> Double {
            guard outstanding == 0, now > updated, ewma > Balancer.initialLatency else { return ewma }
            let halvings = Double(now - updated) / Balancer.idleHalfLife
            guard halvings < 64 else { return Balancer.initialLatency }
            // 2^-halvings, straight between whole ones, which needs no math library.
            let whole = halvings.rounded(.down)
            let keep = Double(sign: .plus, exponent: -Int(whole), significand: 1 - (halvings - whole) / 2)
            return max(Balancer.initialLatency, ewma * keep)
        }
    }

    /// What the end of a call says of its endpoint.
    enum Outcome: Sendable {
        case answered
        /// The endpoint is to blame, not the request.
        case failed
        /// It answered, but its time says nothing: a stream lasts as long as its client wants.
        case streamed
        /// It says nothing: a refusal is fast, and who gave up does not know.
        case unmeasured
    }

    private(set) var endpoints: [ID: Endpoint] = [:]
    /// The ready ones.
    private var ready: [ID] = []
    /// Until then some endpoint may be ejected.
    private var someEjectedUntil: UInt64 = 0
    private var hasPriorities = false

    /// The first time that an endpoint is ready on a new connection, it starts without a past.
    mutating func setReady(_ id: ID, _ ready: Bool) {
        var endpoint = endpoints[id] ?? Endpoint()
        endpoint.ready = ready
        if ready, endpoint.isOfLostConnection {
            endpoint.isOfLostConnection = false
            endpoint.ewma = Self.initialLatency
            endpoint.failuresInARow = 0
            endpoint.ejectedUntil = 0
        }
        endpoints[id] = endpoint
        setListed(id, ready)
    }

    /// What DNS says of an endpoint that is there.
    mutating func place(_ id: ID, priority: Int, weight: Double) {
        endpoints[id]?.priority = priority
        endpoints[id]?.weight = weight
        if priority != 0 { hasPriorities = true }
    }

    private mutating func setListed(_ id: ID, _ isReady: Bool) {
        let place = ready.firstIndex(of: id)
        if isReady, place == nil { ready.append(id) }
        if !isReady, let place { ready.remove(at: place) }
    }

    /// Its connection is lost; calls that ran there may still end, and say so, after this.
    mutating func lostConnection(_ id: ID) {
        endpoints[id]?.ready = false
        endpoints[id]?.isOfLostConnection = true
        setListed(id, false)
    }

    mutating func remove(_ id: ID) {
        endpoints[id] = nil
        setListed(id, false)
    }

    var anyReady: Bool { !ready.isEmpty }

    /// A ready endpoint is neither `id` nor among `tried`.
    func anyReady(besides id: ID, _ tried: Set<ID> = []) -> Bool {
        ready.contains { $0 != id && !tried.contains($0) }
    }

    func isEjected(_ id: ID, now: UInt64) -> Bool { (endpoints[id]?.ejectedUntil ?? 0) > now }

    /// A ready endpoint, not among `tried` unless there is no other; the call counts as started. Nil: none is ready.
    mutating func pick(
        excluding tried: Set<ID> = [], now: UInt64, using random: inout some RandomNumberGenerator
    ) -> ID? {
        let choices = choices(excluding: tried, now: now)
        guard let first = choices.randomElement(using: &random) else { return nil }
        var best = first
        if choices.count > 1 {
            var second = first
            while second == first { second = choices.randomElement(using: &random) ?? first }
            if let a = endpoints[first], let b = endpoints[second], b.cost(now: now) < a.cost(now: now) {
                best = second
            }
        }
        start(best, now: now)
        return best
    }

    private func choices(excluding tried: Set<ID>, now: UInt64) -> [ID] {
        if tried.isEmpty, someEjectedUntil <= now, !hasPriorities { return ready }
        let untried = ready.filter { !tried.contains($0) }
        // Rather an ejected or tried endpoint than none.
        if untried.isEmpty { return first(ready) }
        let choices = untried.filter { !isEjected($0, now: now) }
        return first(choices.isEmpty ? untried : choices)
    }

    /// Those of the lowest priority.
    private func first(_ choices: [ID]) -> [ID] {
        guard hasPriorities, let lowest = choices.map({ endpoints[$0]?.priority ?? 0 }).min() else { return choices }
        return choices.filter { endpoints[$0]?.priority == lowest }
    }

    private mutating func start(_ id: ID, now: UInt64) {
        guard var endpoint = endpoints[id] else { return }
        endpoint.ewma = endpoint.forgiven(now: now)
        endpoint.updated = max(now, endpoint.updated)
        endpoint.outstanding += 1
        endpoint.calls += 1
        endpoints[id] = endpoint
    }

    /// What `pick` returned was not used after all.
    mutating func unpick(_ id: ID) {
        guard var endpoint = endpoints[id] else { return }
        endpoint.outstanding = max(0, endpoint.outstanding - 1)
        endpoint.calls -= min(1, endpoint.calls)
        endpoints[id] = endpoint
    }

    /// A call of `pick` ended.
    mutating func finished(_ id: ID, latency: UInt64, _ outcome: Outcome, now: UInt64) {
        guard var endpoint = endpoints[id] else { return }
        endpoint.outstanding = max(0, endpoint.outstanding - 1)
        switch outcome {
        case .answered:
            learn(Double(latency), &endpoint, now: now)
            answered(&endpoint)
        case .streamed: answered(&endpoint)
        case .failed:
            learn(max(Double(latency), Self.failureLatency), &endpoint, now: now)
            endpoint.failures += 1
            endpoint.failuresInARow += 1
            if endpoint.failuresInARow >= Self.failuresToEject { eject(&endpoint, now: now) }
        case .unmeasured: break
        }
        endpoints[id] = endpoint
    }

    private func answered(_ endpoint: inout Endpoint) {
        endpoint.failuresInARow = 0
        endpoint.ejections = 0
    }

    /// Up at once, down by the time that has passed.
    private func learn(_ sample: Double, _ endpoint: inout Endpoint, now: UInt64) {
        if sample >= endpoint.ewma {
            endpoint.ewma = sample
        } else {
            // exp(-dt/decay) in its first-order form, which needs no math library. Calls that end at the same time may
            // come here in any order.
            let elapsed = Double(now - min(now, endpoint.updated))
            let keep = Self.decay / (Self.decay + elapsed)
            // The average of what is seen counts at least a little, or a burst would never be forgotten.
            let weight = min(keep, 0.95)
            endpoint.ewma = endpoint.ewma * weight + sample * (1 - weight)
        }
        endpoint.updated = max(now, endpoint.updated)
    }

    /// Never more than half of the ready endpoints are out at once.
    private func mayEject(now: UInt64) -> Bool {
        let out = ready.count { isEjected($0, now: now) }
        return (out + 1) * 2 <= ready.count
    }

    private mutating func eject(_ endpoint: inout Endpoint, now: UInt64) {
        guard endpoint.ejectedUntil <= now, mayEject(now: now) else { return }
        endpoint.ejections += 1
        let wait = Self.firstEjection << UInt64(min(endpoint.ejections - 1, 5))
        endpoint.ejectedUntil = now + min(wait, Self.longestEjection)
        someEjectedUntil = max(someEjectedUntil, endpoint.ejectedUntil)
    }
}
