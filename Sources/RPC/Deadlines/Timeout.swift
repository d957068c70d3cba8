/// The value of `grpc-timeout`: at most 8 digits and a unit (gRPC, `doc/PROTOCOL-HTTP2.md`, "Timeout").
enum Timeout {
    /// The largest number of 8 digits.
    private static let largest: Int64 = 99_999_999
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("n", 1), ("u", 1000), ("m", 1_000_000), ("S", 1_000_000_000), ("M", 60_000_000_000),
        ("H", 3_600_000_000_000),
    ]

    /// In the finest unit that 8 digits hold, rounded up; no time left is the least that there is.
    static func encode(_ remaining: Duration) -> String {
        let (seconds, attoseconds) = remaining.components
        guard seconds > 0 || attoseconds > 0 else { return "1n" }
        // Beyond the largest number of seconds, nanoseconds would overflow.
        if seconds >= largest {
            let minutes = seconds / 60 + 1
            if minutes <= largest { return "\(minutes)M" }
            return "\(min(seconds / 3600 + 1, largest))H"
        }
        let nanoseconds = seconds * 1_000_000_000 + (attoseconds + 999_999_999) / 1_000_000_000
        for unit in units {
            let count = (nanoseconds + unit.nanoseconds - 1) / unit.nanoseconds
            if count <= largest { return "\(count)\(unit.name)" }
        }
        return "\(largest)H"
    }

    /// nil: not such a value.
    static func parse(_ text: Span<UInt8>) -> Duration? {
        guard (2...9).contains(text.count) else { return nil }
        var number: Int64 = 0
        for index in 0..<text.count - 1 {
            guard (0x30...0x39).contains(text[index]) else { return nil }
            number = number * 10 + Int64(text[index] - 0x30)
        }
        switch text[text.count - 1] {
        case UInt8(ascii: "n"): return .nanoseconds(number)
        case UInt8(ascii: "u"): return .microseconds(number)
        case UInt8(ascii: "m"): return .milliseconds(number)
        case UInt8(ascii: "S"): return .seconds(number)
        case UInt8(ascii: "M"): return .seconds(number * 60)
        case UInt8(ascii: "H"): return .seconds(number * 3600)
        default: return nil
        }
    }
}
