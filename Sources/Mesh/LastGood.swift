import NIOCore

/// The records that a name had when it was last answered well; bad answers do not count for a while.
struct LastGood<Record: Sendable>: Sendable {
    private var records: [Record] = []
    private var seen: NIODeadline = .distantPast

    var isEmpty: Bool { records.isEmpty }

    /// - Parameter keep: how long what was found counts, once nothing is found.
    /// - Returns: what counts now.
    mutating func note(_ reply: DNSReply<Record>, now: NIODeadline, keep: Duration) -> [Record] {
        if case .found(let found, _) = reply {
            records = found
            seen = now
        } else if !records.isEmpty, now - seen >= TimeAmount(keep) {
            records = []
        }
        return records
    }
}
