/// Milliseconds since 1970, UTC.
package struct JobTime: Sendable, Hashable, Comparable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func + (time: JobTime, duration: Duration) -> JobTime {
        JobTime(milliseconds: time.milliseconds + duration.wholeMilliseconds)
    }

    /// Seconds from `other` to this.
    package func seconds(since other: JobTime) -> Double { Double(milliseconds - other.milliseconds) / 1000 }

    package static func < (one: JobTime, other: JobTime) -> Bool { one.milliseconds < other.milliseconds }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
