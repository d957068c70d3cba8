import NIOCore

/// How often a client may ask with PING (gRPC proposal A8, "Server Enforcement"). A PING too early is a strike; after
/// more than `maxStrikes` the connection ends with GOAWAY `ENHANCE_YOUR_CALM`, `too_many_pings`. HEADERS or DATA that we
/// send wipe the strikes out: a peer that gets data may measure its line at each turn.
public struct PingPolicy: Sendable, Hashable {
    public var minTime: Duration = .seconds(300)
    /// Else a client without calls may ask every two hours.
    public var permitWithoutCalls = false
    /// nil: PINGs are only bounded by `FloodLimits.pings`.
    public var maxStrikes: Int? = 2

    public init() {}

    /// Allows what clients with `ClientKeepalive.cluster` do, with time to spare: PINGs may come late, and then the next
    /// one early.
    public static var cluster: PingPolicy {
        var policy = PingPolicy()
        policy.minTime = .seconds(5)
        policy.permitWithoutCalls = true
        return policy
    }

    static let minTimeWithoutCalls: Duration = .seconds(7200)
    /// The debug data of the GOAWAY, as all gRPC clients know it.
    static let tooManyPings = "too_many_pings"
}

/// Counts the strikes of one connection.
struct PingStrikes {
    private let policy: PingPolicy
    private var strikes = 0
    private var last: NIODeadline?
    private var framesSent: UInt64 = 0

    init(_ policy: PingPolicy) { self.policy = policy }

    /// A PING has come.
    /// - Parameter framesSent: HEADERS and DATA that we have sent so far.
    /// - Returns: it is one too many.
    mutating func received(at now: NIODeadline, hasCalls: Bool, framesSent: UInt64) -> Bool {
        guard let maxStrikes = policy.maxStrikes else { return false }
        if framesSent != self.framesSent {
            self.framesSent = framesSent
            (strikes, last) = (0, nil)
        }
        let minTime = hasCalls || policy.permitWithoutCalls ? policy.minTime : PingPolicy.minTimeWithoutCalls
        if let last, now - last < TimeAmount(minTime) { strikes += 1 }
        last = now
        return strikes > maxStrikes
    }
}
