/// Latencies in buckets no wider than 1/64 of their value.
struct Histogram {
    private static let steps = 64
    private var buckets = [Int](repeating: 0, count: 58 * Histogram.steps)
    private(set) var count = 0

    mutating func add(nanoseconds: UInt64) {
        buckets[Self.index(nanoseconds)] += 1
        count += 1
    }

    mutating func add(_ other: Histogram) {
        for (index, number) in other.buckets.enumerated() { buckets[index] += number }
        count += other.count
    }

    /// Microseconds below which so much (0…1) of all is.
    func quantile(_ part: Double) -> Double {
        var left = Int((Double(count) * part).rounded(.up))
        for (index, number) in buckets.enumerated() {
            left -= number
            if left <= 0 { return Self.value(index) / 1000 }
        }
        return 0
    }

    private static func index(_ value: UInt64) -> Int {
        let exponent = max(0, 63 - value.leadingZeroBitCount - 6)
        return min(exponent * steps + Int(value >> exponent), 58 * steps - 1)
    }

    /// The middle of a bucket.
    private static func value(_ index: Int) -> Double {
        let exponent = max(0, index / steps - 1)
        return (Double(index - exponent * steps) + 0.5) * Double(UInt64(1) << exponent)
    }
}
