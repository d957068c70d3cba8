/// Whether a channel has no endpoint that is ready, and since when. Times are nanoseconds of any monotonic clock.
struct Outage {
    /// nil: there is one.
    private(set) var since: UInt64?
    /// When the last outage ended; nil: it has not.
    private(set) var lastEnd: UInt64?

    init(since: UInt64) { self.since = since }

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
