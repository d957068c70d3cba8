import NIOCore

/// How slow a client may be. A limit that is nil is off.
public struct SlowPeers: Sendable, Hashable {
    /// Output waits for the socket, and it takes none of it (CVE-2019-9517): the connection ends.
    public var outputTimeout: Duration? = .seconds(30)
    /// Output of one stream waits for its window, and none of it can go: the call ends.
    public var streamTimeout: Duration? = .seconds(120)
    /// A request message that has begun must go on by so many bytes in each second, counted over `uploadGrace`: else the
    /// call ends with DEADLINE_EXCEEDED.
    public var minUploadRate: Int? = 1024
    public var uploadGrace: Duration = .seconds(10)

    public init() {}
}

/// Whether output makes any progress.
struct OutputStall {
    private let timeout: TimeAmount
    private var sent = 0
    private var since: NIODeadline?

    init?(timeout: Duration?) {
        guard let timeout else { return nil }
        self.timeout = TimeAmount(timeout)
    }

    /// To be called again and again, a few times within the timeout.
    /// - Parameters:
    ///   - sent: what has gone so far.
    ///   - pending: what waits.
    /// - Returns: it waits for too long.
    mutating func isStalled(at now: NIODeadline, sent: Int, pending: Int) -> Bool {
        defer { self.sent = sent }
        guard pending > 0, sent <= self.sent, let since else {
            since = pending > 0 ? now : nil
            return false
        }
        return now - since >= timeout
    }
}

/// Whether the request message that arrives goes on fast enough.
struct UploadPace {
    private let minBytes: Int
    private let grace: TimeAmount
    private var begin: (time: NIODeadline, received: Int)?

    init?(_ limits: SlowPeers) {
        guard let rate = limits.minUploadRate else { return nil }
        grace = TimeAmount(limits.uploadGrace)
        minBytes = Int(Double(rate) * Double(grace.nanoseconds) / 1e9)
    }

    /// To be called again and again, a few times within the grace.
    /// - Parameter received: bytes of the stream so far; nil: no message is half read, or it is held up by us.
    mutating func isTooSlow(at now: NIODeadline, received: Int?) -> Bool {
        guard let received, let begin else {
            self.begin = received.map { (now, $0) }
            return false
        }
        guard now - begin.time >= grace else { return false }
        self.begin = (now, received)
        return received - begin.received < minBytes
    }
}
