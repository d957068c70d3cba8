import NIOCore

/// When a server sends its clients to connect anew (gRPC proposal A9), so that they spread over servers that came later.
/// The connection drains, as at the end of the server; without limits (nil) it lasts.
public struct ConnectionAge: Sendable, Hashable {
    /// Without a call for so long.
    public var maxIdle: Duration?
    /// Since it was accepted, a tenth more or less, so that connections made together do not end together.
    public var maxAge: Duration?
    /// Calls that still run so long after `maxAge` are cut off. nil: they may end by themselves.
    public var maxAgeGrace: Duration?

    public init() {}

    /// Ten minutes, so that servers that came later get clients that do not look for them, too; and no end for what runs:
    /// a stream that lasts for days is not cut off for the sake of balance, and keeps what its server knows of it.
    public static var cluster: ConnectionAge {
        var age = ConnectionAge()
        age.maxAge = .seconds(600)
        return age
    }

    static let jitter = -0.1...0.1
}

/// How old one connection is, in time or in calls.
///
///     young ──age, idle, or few ids left──▶ draining ──grace, of age──▶ cut
struct AgeState {
    enum Step: Equatable {
        case none
        /// With what GOAWAY says.
        case drain(reason: String)
        case cut
    }

    /// A call beyond this stream says that the ids of the connection come to their end, which RFC 9113, section 5.1.1, asks
    /// a server to say by GOAWAY. Eight million calls are left, more than begin between two looks.
    static let lastUnhurried = Int32.max - 1 << 24

    private let limits: ConnectionAge
    private let end: NIODeadline?
    private var idleSince: NIODeadline?
    private var callsSeen: Int32 = -1
    private var agedAt: NIODeadline?
    private var isDraining = false

    /// - Parameter jitter: of `ConnectionAge.jitter`.
    init(_ limits: ConnectionAge, born: NIODeadline, jitter: Double) {
        self.limits = limits
        end = limits.maxAge.map { born + TimeAmount($0 * (1 + jitter)) }
    }

    /// To be called again and again, a few times within the limits.
    /// - Parameter lastCall: grows with each call that begins.
    mutating func step(at now: NIODeadline, hasCalls: Bool, lastCall: Int32) -> Step {
        if let agedAt {
            guard let grace = limits.maxAgeGrace, now - agedAt >= TimeAmount(grace) else { return .none }
            return .cut
        }
        if let end, now >= end {
            agedAt = now
            defer { isDraining = true }
            return isDraining ? .none : .drain(reason: "max_age")
        }
        guard !isDraining else { return .none }
        guard lastCall <= Self.lastUnhurried else {
            isDraining = true
            return .drain(reason: "stream ids run out")
        }
        guard let maxIdle = limits.maxIdle else { return .none }
        if hasCalls || lastCall != callsSeen || idleSince == nil {
            callsSeen = lastCall
            idleSince = hasCalls ? nil : now
            return .none
        }
        guard let idleSince, now - idleSince >= TimeAmount(maxIdle) else { return .none }
        isDraining = true
        return .drain(reason: "max_idle")
    }
}
