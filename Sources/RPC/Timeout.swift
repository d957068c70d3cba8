/// The value of `grpc-timeout`: at most 8 digits and a unit (gRPC, `doc/PROTOCOL-HTTP2.md`, "Timeout").
enum Timeout {
    /// The largest number of 8 digits.
    private static let largest: Int64 = 99_999_999
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("n", 1), ("u", 1000), ("m", 1_000_000), ("S", 1_000_000_000), ("M", 60_000_000_000),
        ("H", 3_600_000_000_000),
    ]

    /// In the finest unit that 8 digits hold, rounded up; no time left is `0n`.
    static func encode(_ remaining: Duration) -> String {
        let (seconds, attoseconds) = remaining.components
        guard seconds > 0 || attoseconds > 0 else { return "0n" }
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
    static func parse(_ text: String) -> Duration? {
        let bytes = text.utf8
        guard (2...9).contains(bytes.count), bytes.dropLast().allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(text.dropLast()), let unit = units.first(where: { $0.name == text.suffix(1) })
        else { return nil }
        return .nanoseconds(unit.nanoseconds) * Int(number)
    }
}
