public import NIOCore

/// A point in time on the monotonic clock.
public struct Deadline: Sendable, Hashable, Comparable {
    public var instant: NIODeadline
    public init(instant: NIODeadline) { self.instant = instant }

    /// The latest instant that NIO can hold stands for all later ones.
    public static func after(_ duration: Duration) -> Deadline { after(duration, from: .now()) }

    static func after(_ duration: Duration, from start: NIODeadline) -> Deadline {
        let (seconds, attoseconds) = duration.components
        let latest = NIODeadline.distantFuture.uptimeNanoseconds
        // A negative wait has passed, and by how much does not matter.
        guard seconds >= 0, attoseconds >= 0 else { return Deadline(instant: start) }
        let (whole, tooLong) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooLate) = start.uptimeNanoseconds.addingReportingOverflow(whole)
        guard !tooLong, !tooLate, sum < latest else { return Deadline(instant: .distantFuture) }
        return Deadline(instant: .uptimeNanoseconds(min(sum + UInt64(attoseconds / 1_000_000_000), latest)))
    }

    /// Zero when it has passed.
    public var remaining: Duration {
        let left = instant - .now()
        return left.nanoseconds > 0 ? .nanoseconds(left.nanoseconds) : .zero
    }

    public var hasPassed: Bool { instant <= .now() }

    public static func < (a: Deadline, b: Deadline) -> Bool { a.instant < b.instant }
}
