import NIOCore

/// Whether a channel has no endpoint that is ready, and since when. Times are nanoseconds of any monotonic clock.
struct Outage {
    /// nil: there is one.
    private(set) var since: UInt64?
    /// When the last outage ended; nil: it has not.
    private(set) var lastEnd: UInt64?

    init(since: UInt64) { self.since = since }

    /// When calls that wait no longer than `grace` in an outage have waited long enough; nil: there is none.
    func end(of grace: Duration) -> NIODeadline? {
        since.map { NIODeadline.uptimeNanoseconds($0) + TimeAmount(grace) }
    }

    mutating func note(anyReady: Bool, now: UInt64) {
        if anyReady {
            if since != nil { lastEnd = now }
            since = nil
        } else if since == nil {
            since = now
            lastEnd = nil
        }
    }
}
