/// Waits between attempts to connect: exponential, with jitter (gRPC, `doc/connection-backoff.md`; its first wait of
/// 1 s is too long inside a cluster).
public struct Backoff: Sendable {
    public var initial: Duration = .milliseconds(100)
    public var factor = 1.6
    public var longest: Duration = .seconds(5)
    /// Each wait is this fraction longer or shorter, by chance.
    public var jitter = 0.2

    public init() {}

    /// The wait after `failures` failed attempts in a row (1 or more).
    public func wait(after failures: Int, using random: inout some RandomNumberGenerator) -> Duration {
        var seconds = initial / .seconds(1)
        for _ in 1..<max(1, min(failures, 64)) { seconds = min(seconds * factor, longest / .seconds(1)) }
        return .seconds(seconds * (1 + Double.random(in: -jitter...jitter, using: &random)))
    }
}
