/// What the number of a limit counts, and how people write it.
public enum LimitUnit: String, Sendable, CaseIterable {
    /// `65536`, `64KiB`, `4MiB`, `1GiB`.
    case bytes
    case bytesPerSecond = "bytes/s"
    case count
    case perSecond = "a second"
    /// `30` or `30s`; `200us`, `250ms`, `5m`, `2h`.
    case seconds
    case factor
    case onOrOff = "on or off"

    static let off = "off"
    private static let on = "on"

    /// The largest last, so that the longest that fits whole is found from the end.
    private var suffixes: [(name: String, factor: Double)] {
        switch self {
        case .bytes, .bytesPerSecond: [("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824)]
        case .seconds: [("us", 0.000_001), ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
        case .count, .perSecond, .factor, .onOrOff: []
        }
    }

    /// Whether parts of one make no sense.
    private var isWhole: Bool { self != .seconds && self != .factor }

    /// nil: `text` is no such number.
    func number(_ text: String) -> Double? {
        if self == .onOrOff { return text == Self.on ? 1 : text == Self.off ? 0 : nil }
        let suffix = suffixes.first { text.hasSuffix($0.name) }
        let digits = text.dropLast(suffix?.name.count ?? 0)
        // No signs, exponents, hexadecimal digits, or `nan`.
        guard digits.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }),
            let number = Double(digits).map({ $0 * (suffix?.factor ?? 1) })
        else { return nil }
        return isWhole && number != number.rounded() ? nil : number
    }

    /// As `number` takes it, in the largest unit that it is a whole number of.
    func text(_ number: Double) -> String {
        if self == .onOrOff { return number == 1 ? Self.on : Self.off }
        let fitting = suffixes.last { number >= $0.factor && Self.isWhole(number / $0.factor) }
        guard let (name, factor) = fitting else {
            return Self.digits(number) + (self == .seconds ? "s" : "")
        }
        return Self.digits(number / factor) + name
    }

    /// For an error: what may be given.
    func words(for range: ClosedRange<Double>) -> String {
        let bounds = "\(text(range.lowerBound)) to \(text(range.upperBound))"
        switch self {
        case .bytes, .bytesPerSecond: return "bytes, or KiB, MiB, GiB, \(bounds)"
        case .seconds: return "seconds, or us, ms, s, m, h, \(bounds)"
        case .count, .perSecond: return "a whole number, \(bounds)"
        case .factor: return "a number, \(bounds)"
        case .onOrOff: return "\(Self.on) or \(Self.off)"
        }
    }

    private static func digits(_ number: Double) -> String {
        isWhole(number) ? "\(Int(number.rounded()))" : "\(number)"
    }

    /// But for what binary fractions lose.
    private static func isWhole(_ number: Double) -> Bool { abs(number - number.rounded()) <= abs(number) * 1e-12 }
}
