/// Waits between attempts, to connect or to call: exponential, with jitter (gRPC, `doc/connection-backoff.md` and
/// proposal A6).
///
/// The defaults are for connecting; gRPC's own first wait of 1 s is too long inside a cluster.
public struct Backoff: Sendable, Equatable {
    public var initial: Duration
    public var factor: Double
    public var longest: Duration
    /// Each wait is up to this fraction longer or shorter, by chance.
    public var jitter: Double

    public init(
        initial: Duration = .milliseconds(100), factor: Double = 1.6, longest: Duration = .seconds(5),
        jitter: Double = 0.2
    ) {
        self.initial = initial
        self.factor = factor
        self.longest = longest
        self.jitter = jitter
    }

    /// The wait after `failures` failed attempts in a row (1 or more).
    public func wait(after failures: Int, using random: inout some RandomNumberGenerator) -> Duration {
        var seconds = initial / .seconds(1)
        for _ in 1..<max(1, min(failures, 64)) { seconds = min(seconds * factor, longest / .seconds(1)) }
        return .seconds(min(seconds, longest / .seconds(1)) * (1 + Double.random(in: -jitter...jitter, using: &random)))
    }
}
