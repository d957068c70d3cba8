import Foundation

/// Numbers as text, the same in every language of the machine.
package enum Figure {
    /// With so many digits after the point; `–` of what is no number.
    package static func text(_ value: Double, decimals: Int) -> String {
        guard value.isFinite else { return "–" }
        let text = String(format: "%.\(max(0, min(decimals, 9)))f", locale: Locale(identifier: "en_US_POSIX"), value)
        guard decimals > 0, text.contains(".") else { return text }
        var digits = text[...]
        while digits.hasSuffix("0") { digits = digits.dropLast() }
        return String(digits.hasSuffix(".") ? digits.dropLast() : digits)
    }

    /// Always with so many digits after the point, for columns.
    package static func column(_ value: Double, decimals: Int) -> String {
        guard value.isFinite else { return "–" }
        return String(format: "%.\(max(0, min(decimals, 9)))f", locale: Locale(identifier: "en_US_POSIX"), value)
    }

    /// With three digits after the point; of what is little, three that count.
    package static func number(_ value: Double) -> String {
        text(value, decimals: value > 0 ? max(3, decimals(of: value)) : 3)
    }

    /// Frames a second, for columns: one digit after the point; of less than one a second, three that count.
    package static func rate(_ value: Double) -> String {
        column(value, decimals: value > 0 && value < 1 ? decimals(of: value) : 1)
    }

    /// `1 frame`, `2 frames`.
    static func count(_ number: some BinaryInteger, _ one: String) -> String {
        "\(number) \(one)\(number == 1 ? "" : "s")"
    }

    /// Digits after the point with which a number of this size has three in all; of what is more than 100, fewer than none.
    package static func decimals(of size: Double) -> Int { 2 - Int(clampedTo: log10(size).rounded(.down)) }
}
