/// Names a job. Nobody guesses it, and ids in order are jobs in the order in which they were made.
///
/// 32 hexadecimal digits: 48 bits of the creation's milliseconds, then 80 bits of chance.
package struct JobID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    private static let digits = 32
    private static let timeDigits = 12
    /// Of the second random number; the first gives 64 bits.
    private static let restDigits = 4

    /// - Returns: nil if `text` is no id, so that one never becomes part of a path unseen.
    package init?(_ text: String) {
        guard text.utf8.count == Self.digits,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        self.text = text
    }

    package init(at time: JobTime, using random: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(max(0, time.milliseconds))
        text =
            Self.hexadecimal(milliseconds, Self.timeDigits) + Self.hexadecimal(random.next(), 16)
            + Self.hexadecimal(random.next(), Self.restDigits)
    }

    package init(at time: JobTime) {
        var random = SystemRandomNumberGenerator()
        self.init(at: time, using: &random)
    }

    /// The lowest digits of `number`.
    private static func hexadecimal(_ number: UInt64, _ digits: Int) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text.suffix(digits)
    }

    package var description: String { text }

    package static func < (one: JobID, other: JobID) -> Bool { one.text < other.text }
}
