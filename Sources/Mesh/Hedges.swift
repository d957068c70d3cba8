/// How long the answers of each method usually take, over all endpoints, and the budget of hedges.
struct Hedges: Sendable {
    /// Of these the time is known; of a method beyond them it is not, and it is not hedged.
    static var mostMethods: Int { 64 }

    let rules: HedgingRules
    private var times: [String: UsualTime] = [:]
    /// Hedges that may begin now.
    private var budget: Double

    init(_ rules: HedgingRules) {
        self.rules = rules
        budget = rules.share > 0 ? Double(rules.burst) : 0
    }

    // ---- time ----

    /// Nanoseconds after which a call takes longer than usual; nil: not known.
    func delay(of path: String) -> UInt64? {
        guard rules.share > 0 else { return nil }
        return times[path]?.value.map { max($0, UInt64(nanoseconds: rules.floor)) }
    }

    func isOverdue(_ path: String, after latency: UInt64) -> Bool { delay(of: path).map { latency >= $0 } ?? false }

    mutating func answered(_ path: String, after latency: UInt64) {
        budget = min(budget + rules.share, Double(rules.burst))
        add(path, latency)
    }

    /// The call would have taken longer: it counts among the slow ones, or the usual time would shrink with each hedge.
    mutating func gaveUp(_ path: String, after latency: UInt64) { add(path, latency) }

    private mutating func add(_ path: String, _ latency: UInt64) {
        if let known = times.index(forKey: path) {
            times.values[known].add(latency, rules)
        } else if times.count < Self.mostMethods {
            var time = UsualTime()
            time.add(latency, rules)
            times[path] = time
        }
    }

    // ---- budget ----

    var mayHedge: Bool { budget >= 1 }

    mutating func hedged() { budget -= 1 }
}

/// What a quantile of the last answers took.
struct UsualTime: Sendable {
    /// Answers between two looks at all of them.
    private static var step: Int { 16 }

    private var window = LatencyWindow()
    private var unseen = 0
    private var count = 0
    /// Nanoseconds. nil: there were too few.
    private(set) var value: UInt64?

    mutating func add(_ latency: UInt64, _ rules: HedgingRules) {
        window.add(latency)
        count = min(count + 1, rules.samples)
        unseen += 1
        guard count >= rules.samples, value == nil || unseen >= Self.step else { return }
        value = window.quantile(rules.quantile)
        unseen = 0
    }
}
