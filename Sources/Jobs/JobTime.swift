/// Milliseconds since 1970, UTC.
package struct JobTime: Sendable, Hashable, Comparable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func + (time: JobTime, duration: Duration) -> JobTime {
        let (seconds, attoseconds) = duration.components
        return JobTime(milliseconds: time.milliseconds + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    /// Seconds from `other` to this.
    package func seconds(since other: JobTime) -> Double { Double(milliseconds - other.milliseconds) / 1000 }

    package static func < (one: JobTime, other: JobTime) -> Bool { one.milliseconds < other.milliseconds }
}
