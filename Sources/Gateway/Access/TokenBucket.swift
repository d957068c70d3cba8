/// So many at once, and so many a second in the long run.
struct TokenBucket: Sendable {
    private var level: Double
    private var at: ContinuousClock.Instant

    init(burst: Int, now: ContinuousClock.Instant) {
        level = Double(burst)
        at = now
    }

    /// Takes one.
    /// - Returns: nil, or how long there is none.
    mutating func take(rate: Double, burst: Int, now: ContinuousClock.Instant) -> Duration? {
        if let wait = wait(rate: rate, burst: burst, now: now) { return wait }
        level -= 1
        return nil
    }

    /// The same without taking.
    mutating func wait(rate: Double, burst: Int, now: ContinuousClock.Instant) -> Duration? {
        let passed = max(0, at.duration(to: now) / .seconds(1))
        level = min(Double(burst), level + passed * rate)
        at = max(at, now)
        return level >= 1 ? nil : .seconds((1 - level) / rate)
    }

    var lastUse: ContinuousClock.Instant { at }
}
