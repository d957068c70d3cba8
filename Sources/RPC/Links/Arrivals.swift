import NIOCore

/// How slowly a message may arrive once it has begun, since it holds memory from then on. A limit that is nil is off.
public struct ArrivalLimits: Sendable, Hashable {
    /// It must go on by so many bytes in each second, counted over `grace`.
    public var minRate: Int?
    public var grace: Duration
    /// What memory is reserved for must come within this time, also counted over `grace`: the more memory a message
    /// holds, the faster it has to come (4 MiB within a minute: 70 KiB/s).
    public var time: Duration?

    public init(minRate: Int? = 1024, grace: Duration = .seconds(10), time: Duration? = .seconds(60)) {
        self.minRate = minRate
        self.grace = grace
        self.time = time
    }

    /// In which it is seen that a message is too slow; nil: it may be as slow as it likes.
    var watchedTime: Duration? { minRate == nil && time == nil ? nil : grace }
}

/// Whether the messages that arrive on the streams of one connection are fast enough.
struct Arrivals {
    struct Message {
        var stream: Int32
        /// All bytes of the stream so far.
        var received: Int
        /// For this message.
        var reserved: Int
    }

    private let limits: ArrivalLimits
    /// Of what memory is reserved for, what has to come within the grace.
    private let leastPart: Double
    private var paces: [Int32: Pace] = [:]

    init(_ limits: ArrivalLimits) {
        self.limits = limits
        // No more than all of it, however the two are set.
        leastPart = limits.time.map { min(1, limits.grace / $0) } ?? 0
    }

    /// To be called again and again, a few times within the grace, with all messages that have begun and are not held up
    /// by us.
    /// - Returns: the streams of those that are too slow.
    mutating func tooSlow(at now: NIODeadline, _ messages: [Message]) -> [Int32] {
        let rate = limits.minRate ?? (limits.time == nil ? nil : 0)
        var seen: [Int32: Pace] = [:]
        var slow: [Int32] = []
        for message in messages {
            guard var pace = paces[message.stream] ?? Pace(rate: rate, over: limits.grace) else { return [] }
            let least = Int(Double(message.reserved) * leastPart)
            if pace.isTooSlow(at: now, moved: message.received, least: least) { slow.append(message.stream) }
            seen[message.stream] = pace
        }
        paces = seen
        return slow
    }
}
