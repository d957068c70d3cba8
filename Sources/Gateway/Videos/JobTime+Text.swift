import Foundation
import Jobs

extension JobTime {
    static var now: JobTime { JobTime(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))) }

    /// RFC 3339, UTC, to the millisecond.
    var text: String {
        // Foundation's own fractions are those of a Double, which may be one less.
        let (seconds, rest) = max(0, milliseconds).quotientAndRemainder(dividingBy: 1000)
        let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
        let digits = String(rest)
        return whole.dropLast() + "." + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
    }
}
