import DequeModule

/// How it goes with the frames of a stream.
struct StreamCounts: Sendable {
    /// Answers of which the rate is taken.
    private static let window = 64
    /// Older ones say nothing of now.
    private static let age = Duration.seconds(5)

    var received = 0
    /// With a result, if only a partial one.
    private(set) var answered = 0
    /// By the policy: here, or by the coordinator.
    var dropped = 0
    private(set) var failed = 0
    /// Of the last answer: from when the frame came to when its result was there.
    private(set) var lastAge: Duration?
    private var times = Deque<ContinuousClock.Instant>()

    mutating func answered(age: Duration, now: ContinuousClock.Instant) {
        answered += 1
        lastAge = age
        times.append(now)
        if times.count > Self.window { times.removeFirst() }
    }

    /// Those with an answer of any kind.
    var ended: Int { answered + failed }

    mutating func failedOnce() { failed += 1 }

    /// Answers a second, of late.
    func rate(_ now: ContinuousClock.Instant) -> Double {
        let recent = times.filter { now - $0 < Self.age }
        guard let first = recent.first, recent.count > 1 else { return 0 }
        let seconds = (now - first) / .seconds(1)
        return seconds > 0 ? Double(recent.count) / seconds : 0
    }
}
