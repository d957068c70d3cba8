import DequeModule

/// How it goes with the frames of a stream: each that was received is on its way, or has ended in exactly one way.
struct StreamCounts: Sendable {
    /// Answers of which the rate is taken.
    private static let window = 64
    /// Older ones say nothing of now.
    private static let age = Duration.seconds(5)

    private var taken = 0
    /// With a result, if only a partial one.
    private(set) var answered = 0
    /// By the policy: here, or by the coordinator.
    var dropped = 0
    /// With an error of the mesh.
    private(set) var failed = 0
    /// Without a word: they were on their way when the mesh was lost, or the stream ended.
    private(set) var lost = 0
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
    private var over: Int { answered + dropped + failed + lost }
    /// One may be over before whoever brought it has heard that it was taken.
    var received: Int { max(taken, over) }
    /// With the mesh, or the next for it.
    var onTheirWay: Int { received - over }

    mutating func wasTaken() { taken += 1 }
    mutating func failedOnce() { failed += 1 }
    mutating func wereLost(_ frames: Int) { lost += frames }

    /// Answers a second, of late.
    func rate(_ now: ContinuousClock.Instant) -> Double {
        let recent = times.filter { now - $0 < Self.age }
        guard let first = recent.first, recent.count > 1 else { return 0 }
        let seconds = (now - first) / .seconds(1)
        return seconds > 0 ? Double(recent.count) / seconds : 0
    }
}
