import Foundation

/// Points in time, as JSON has them.
package enum TimeText {
    /// RFC 3339, UTC, to the millisecond.
    /// - Parameter milliseconds: since 1970; what is before is shown as 1970.
    package static func rfc3339(milliseconds: Int64) -> String {
        // Foundation's own fractions are those of a Double, which may be one less.
        let (seconds, rest) = max(0, milliseconds).quotientAndRemainder(dividingBy: 1000)
        let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
        let digits = String(rest)
        return "\(whole.dropLast()).\(String(repeating: "0", count: 3 - digits.count))\(digits)Z"
    }
}
