import NIOCore

/// How slow a client may be. A limit that is nil is off.
public struct SlowPeers: Sendable, Hashable {
    /// Output waits for the socket, and it takes none of it (CVE-2019-9517): the connection ends.
    public var outputTimeout: Duration? = .seconds(30)
    /// Output of one stream waits for its window: it must go on by `minDownloadRate` bytes in each second, counted over
    /// this time, else the call ends.
    public var streamTimeout: Duration? = .seconds(120)
    public var minDownloadRate = 1024
    /// A request message that has begun must go on by so many bytes in each second, counted over `uploadGrace`: else the
    /// call ends with DEADLINE_EXCEEDED.
    public var minUploadRate: Int? = 1024
    public var uploadGrace: Duration = .seconds(10)
    /// What memory is reserved for must come within this time, also counted over `uploadGrace`: the more memory a message
    /// holds, the faster it has to come (4 MiB: 70 KiB/s).
    public var uploadTime: Duration? = .seconds(60)
    /// From the head of a request until its first message begins, unless the handler has answered by then: else the call
    /// ends with DEADLINE_EXCEEDED.
    public var firstMessageTimeout: Duration? = .seconds(300)

    public init() {}

    var uploads: ArrivalLimits { ArrivalLimits(minRate: minUploadRate, grace: uploadGrace, time: uploadTime) }
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

/// Whether what moves, of a stream, goes on fast enough.
struct Pace {
    private let minBytes: Int
    private let grace: TimeAmount
    private var begin: (time: NIODeadline, moved: Int)?

    /// - Parameters:
    ///   - rate: bytes in a second, 0 if only `least` counts; nil: it may be as slow as it likes.
    ///   - grace: what they are counted over; nil: as above.
    init?(rate: Int?, over grace: Duration?) {
        guard let rate, let grace else { return nil }
        self.grace = TimeAmount(grace)
        minBytes = rate == 0 ? 0 : max(1, Int(Double(rate) * Double(self.grace.nanoseconds) / 1e9))
    }

    /// To be called again and again, a few times within the grace.
    /// - Parameters:
    ///   - moved: bytes so far; nil: nothing is to move, or it is held up by us.
    ///   - least: what has to move within the grace, where that is more than the rate wants.
    mutating func isTooSlow(at now: NIODeadline, moved: Int?, least: Int = 0) -> Bool {
        guard let moved, let begin else {
            self.begin = moved.map { (now, $0) }
            return false
        }
        guard now - begin.time >= grace else { return false }
        self.begin = (now, moved)
        return moved - begin.moved < max(minBytes, least)
    }
}
