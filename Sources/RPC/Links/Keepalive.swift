import NIOCore
import Synchronization

/// Whether a silent peer is still there (gRPC proposals A8 and A9): a PING when nothing has come for `time`; when then
/// nothing comes for `timeout`, the connection ends. The kernel is told the same `timeout` (A18, TCP_USER_TIMEOUT), so
/// that a write to a peer that is gone fails as soon; but no less than `outputTimeout`, since for the kernel a peer that reads
/// nothing is as one that is gone.
public struct ServerKeepalive: Sendable, Hashable {
    /// nil: no PINGs.
    public var time: Duration? = .seconds(7200)
    public var timeout: Duration = .seconds(20)

    public init() {}

    func kernelTimeout(besideOutputs output: Duration?) -> Duration { max(timeout, output ?? timeout) }
}

/// The same for a client. Off by default: a server with gRPC's usual policy takes no more than one PING in 5 minutes.
///
/// A server that answers `too_many_pings` gets half as many on the connections after (gRPC proposal A8). Copies of one
/// value share that, and so all connections of a channel; it lasts for as long as they do, as in gRPC's clients.
public struct ClientKeepalive: Sendable {
    /// nil: no PINGs. Times below 10 s count as 10 s.
    public var time: Duration?
    public var timeout: Duration = .seconds(20)
    /// PINGs also while no call runs.
    public var permitWithoutCalls = false

    /// For servers of one's own: a host that is gone is found within 15 s, whether calls run or not. They must allow it:
    /// `PingPolicy.cluster`.
    public static var cluster: ClientKeepalive {
        var keepalive = ClientKeepalive()
        keepalive.time = .seconds(10)
        keepalive.timeout = .seconds(5)
        keepalive.permitWithoutCalls = true
        return keepalive
    }

    var minTime: Duration = .seconds(10)
    private let slowed = Slowed()

    public init() {}

    private final class Slowed: Sendable {
        let factor = Atomic<Int>(1)
    }

    private static let maxFactor = 1 << 20

    /// What the next connection uses.
    var effectiveTime: Duration? {
        time.map { max($0, minTime) * slowed.factor.load(ordering: .relaxed) }
    }

    func kernelTimeout(besideOutputs output: Duration?) -> Duration { max(timeout, output ?? timeout) }

    /// A server has ended a connection with `ENHANCE_YOUR_CALM`, `too_many_pings`.
    func slowDown() {
        let factor = slowed.factor.load(ordering: .relaxed)
        slowed.factor.store(min(factor * 2, Self.maxFactor), ordering: .relaxed)
    }
}

/// When to ask, and when to give up. Anything that was read is a sign of life.
///
///     quiet ──nothing read for `time`──▶ asked ──nothing read for `timeout`──▶ given up
///       ▲                                  │
///       └────────────── read ──────────────┘
struct Keepalive {
    enum Step: Equatable { case none, ping, giveUp }

    let time: Duration
    let timeout: Duration
    let permitWithoutCalls: Bool
    private var asked: NIODeadline?

    init(time: Duration, timeout: Duration, permitWithoutCalls: Bool) {
        self.time = time
        self.timeout = timeout
        self.permitWithoutCalls = permitWithoutCalls
    }

    /// To be called again and again, a few times within `time` and `timeout`.
    mutating func step(at now: NIODeadline, lastRead: NIODeadline, hasCalls: Bool) -> Step {
        if let asked {
            guard lastRead < asked else {
                self.asked = nil
                return step(at: now, lastRead: lastRead, hasCalls: hasCalls)
            }
            return now - asked >= TimeAmount(timeout) ? .giveUp : .none
        }
        guard hasCalls || permitWithoutCalls, now - lastRead >= TimeAmount(time) else { return .none }
        asked = now
        return .ping
    }
}
