/// What a balancer knows of one endpoint.
struct BalancedEndpoint: Sendable {
    private typealias Constants = Balancer<Int>

    /// Which one of those that had its name.
    var generation: UInt64 = 0
    var ready = false
    /// What is known is of a connection, and perhaps a process, that is no more; or nothing is known.
    var isNew = true
    /// While one of a lower priority can be chosen, this one is not.
    var priority = 0
    /// The share of calls that it is to have, 1 is average.
    var weight = 1.0

    private(set) var outstanding = 0
    /// Of these, those that last as long as their clients want.
    private(set) var streams = 0
    /// Calls whose connection broke before, here or elsewhere.
    private(set) var suspects = 0
    var calls: UInt64 = 0
    private(set) var failures: UInt64 = 0

    /// Nanoseconds.
    private(set) var ewma = Constants.initialLatency
    private(set) var isMeasured = false
    private(set) var updated: UInt64 = 0
    var latencies = LatencyWindow()
    private var readySince: UInt64 = 0
    /// When it last answered a call, or had none.
    private var progress: UInt64 = 0
    private var lastAnswer: UInt64 = 0

    private(set) var report = EndpointReport()
    private(set) var hasReported = false
    /// Calls of others that it has, as far as is known.
    private var foreign = 0
    /// When what it said it has to do will be done.
    private var busyUntil: UInt64 = 0
    /// When it did not answer its probe; nil: it did.
    var silentSince: UInt64?
    var isSilent: Bool { silentSince != nil }

    /// Calls, since the last answer, that were given up when they took longer than usual.
    private var overdue = 0
    private(set) var failuresInARow = 0
    private(set) var failureRate = 0.0
    /// Outcomes that the rate is of.
    private(set) var rated = 0
    private(set) var ejections = 0
    /// All of them.
    private(set) var everEjected: UInt64 = 0
    private(set) var ejectedUntil: UInt64 = 0

    // ---- cost ----

    /// What the next call costs there.
    struct Price {
        /// Nanoseconds.
        var cost: Double
        /// Calls that it has, for each that it runs at one time, of an endpoint whose share of the calls is average.
        var load: Double
    }

    func price(_ rules: BalancingRules, now: UInt64) -> Price {
        let fill = fill
        let expected = latency(now: now) * (fill + 1 / Double(report.capacity))
        let part = weight * share(rules, now: now)
        // Calls of others may be longer than ours: it knows.
        return Price(cost: max(expected, Double(busyUntil - min(now, busyUntil))) / part, load: fill / part)
    }

    /// Calls that it has, for each that it runs at one time.
    var fill: Double { Double(outstanding + foreign) / Double(report.capacity) }

    /// Whether it has room for calls that waited for it: up to half of what it takes is theirs, so that others find room
    /// too, and what other channels let go at the same time.
    /// - Parameter isProbed: it will say what it takes.
    func hasSpareRoom(isProbed: Bool) -> Bool {
        guard isProbed else { return true }
        guard hasReported else { return outstanding < Constants.callsBeforeReport }
        guard let limit = report.limit else { return true }
        return outstanding + foreign < max(report.capacity, limit / 2)
    }

    /// A call that waits for longer than the average says that the average is too good.
    private func latency(now: UInt64) -> Double {
        guard outstanding > streams, now > progress else { return forgiven(now: now) }
        return max(ewma, Double(now - progress))
    }

    /// The part of a whole share that a newcomer is to have.
    private func share(_ rules: BalancingRules, now: UInt64) -> Double {
        let ramp = Double(UInt64(nanoseconds: rules.slowStart))
        let age = Double(now - min(now, readySince))
        return age >= ramp ? 1 : max(Constants.firstShare, age / ramp)
    }

    /// The latency, less what an idle endpoint is forgiven, down to a newcomer's. What runs there will tell: a busy
    /// one is forgiven nothing.
    private func forgiven(now: UInt64) -> Double {
        guard outstanding == 0, now > updated, ewma > Constants.initialLatency else { return ewma }
        let halvings = Double(now - updated) / Constants.idleHalfLife
        guard halvings < 64 else { return Constants.initialLatency }
        // 2^-halvings, straight between whole ones, which needs no math library.
        let whole = halvings.rounded(.down)
        let keep = Double(sign: .plus, exponent: -Int(whole), significand: 1 - (halvings - whole) / 2)
        return max(Constants.initialLatency, ewma * keep)
    }

    func readyState(now: UInt64) -> EndpointState.State {
        isSilent ? .silent : ejectedUntil > now ? .ejected : .ready
    }

    /// Why it gets no calls though it is ready, for people; nil: it does.
    func hindrance(now: UInt64) -> String? {
        if let silentSince { return "has not answered its probe for \(seconds(now - min(now, silentSince)))" }
        guard ejectedUntil > now else { return nil }
        return "its calls failed; left out for \(seconds(ejectedUntil - now)) more"
    }

    private func seconds(_ nanoseconds: UInt64) -> String { "\(nanoseconds / 1_000_000_000) s" }

    // ---- events ----

    /// Ready on a new connection; calls of the old one may still end.
    mutating func begin(latency: Double, now: UInt64) {
        isNew = false
        ewma = latency
        isMeasured = false
        updated = now
        readySince = now
        progress = now
        report = EndpointReport()
        hasReported = false
        foreign = 0
        busyUntil = 0
        overdue = 0
        failuresInARow = 0
        failureRate = 0
        rated = 0
        ejections = 0
        ejectedUntil = 0
    }

    mutating func take(_ news: EndpointReport, _ rules: BalancingRules, now: UInt64) {
        report = news
        hasReported = true
        report.capacity = min(max(1, news.capacity), rules.maxCapacity)
        report.limit = news.limit.map { max(0, $0) }
        if news.zone.utf8.count > rules.maxZoneBytes { report.zone = "" }
        foreign = max(0, min(news.load, Constants.mostLoad) - outstanding)
        busyUntil = now + UInt64(nanoseconds: min(max(.zero, news.wait), Constants.longestWait))
        silentSince = nil
    }

    mutating func start(isStream: Bool, isSuspect: Bool, now: UInt64) {
        ewma = forgiven(now: now)
        updated = max(now, updated)
        if outstanding == streams { progress = max(now, progress) }
        outstanding += 1
        if isStream { streams += 1 }
        if isSuspect { suspects += 1 }
        calls += 1
    }

    /// - Parameter isProgress: the endpoint has done something for it.
    mutating func end(isStream: Bool, isSuspect: Bool, isProgress: Bool, now: UInt64) {
        outstanding = max(0, outstanding - 1)
        if isStream { streams = max(0, streams - 1) }
        if isSuspect { suspects = max(0, suspects - 1) }
        streams = min(streams, outstanding)
        if isProgress { progress = max(now, progress) }
    }

    /// Up at once, down by the time that has passed.
    mutating func learn(_ sample: Double, now: UInt64) {
        isMeasured = true
        if sample >= ewma {
            ewma = sample
        } else {
            // exp(-dt/decay) in its first-order form, which needs no math library. Calls that end at the same time may
            // come here in any order.
            let elapsed = Double(now - min(now, updated))
            let keep = Constants.decay / (Constants.decay + elapsed)
            // The average of what is seen counts at least a little, or a burst would never be forgotten.
            let weight = min(keep, 0.95)
            ewma = ewma * weight + sample * (1 - weight)
        }
        updated = max(now, updated)
    }

    mutating func answered(_ rules: BalancingRules, now: UInt64) {
        overdue = 0
        lastAnswer = max(lastAnswer, now)
        failuresInARow = 0
        rate(0)
        // One answer between failures is no recovery.
        if now >= ejectedUntil, now - ejectedUntil > UInt64(nanoseconds: rules.longestEjection) { ejections = 0 }
    }

    /// A call was given up after `latency`, longer than usual: it takes at least that. The more of them, one after the
    /// other, the longer, up to what a failed call counts as.
    mutating func wasOverdue(_ latency: Double, now: UInt64) {
        let least = latency * Double(1 << min(overdue, 16))
        overdue += 1
        if least > ewma { learn(max(latency, min(least, Constants.failureLatency)), now: now) }
    }

    func hasAnswered(since start: UInt64) -> Bool { lastAnswer > start }

    mutating func failed(_ latency: Double, now: UInt64) {
        learn(max(latency, Constants.failureLatency), now: now)
        failures += 1
        failuresInARow += 1
        rate(1)
    }

    private mutating func rate(_ failure: Double) {
        rated = min(rated + 1, Constants.rateCalls)
        failureRate += (failure - failureRate) / Double(Constants.rateCalls)
    }

    mutating func eject(_ rules: BalancingRules, now: UInt64) {
        let first = UInt64(nanoseconds: rules.firstEjection)
        let wait = first.multipliedReportingOverflow(by: 1 << UInt64(min(ejections, 16)))
        let longest = UInt64(nanoseconds: rules.longestEjection)
        ejectedUntil = now + (wait.overflow ? longest : min(wait.partialValue, longest))
        ejections += 1
        everEjected += 1
        failureRate = 0
        rated = 0
    }
}

extension UInt64 {
    /// 0 for a time before.
    init(nanoseconds duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
    }
}
