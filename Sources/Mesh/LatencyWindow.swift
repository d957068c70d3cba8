/// Latencies of the last calls, for the quantiles that people look at. Each is known to a quarter.
///
/// Counts are halved now and then, so that old calls are forgotten; nothing is allocated after the first call.
struct LatencyWindow: Sendable {
    /// Four for each doubling of a microsecond, up to an hour.
    private static var bucketCount: Int { 128 }
    private static var mostCounted: Int { 1024 }

    private var counts: [UInt16] = []
    private var total = 0

    /// - Parameter latency: nanoseconds.
    mutating func add(_ latency: UInt64) {
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.bucketCount) }
        counts[Self.bucket(of: latency)] += 1
        total += 1
        guard total >= Self.mostCounted else { return }
        total = 0
        for index in counts.indices {
            counts[index] /= 2
            total += Int(counts[index])
        }
    }

    /// The latency that this share of the calls stays below. nil: there were no calls.
    func quantile(_ share: Double) -> UInt64? {
        guard total > 0 else { return nil }
        let wanted = max(1, Int((Double(total) * share).rounded(.up)))
        var sum = 0
        for (index, count) in counts.enumerated() {
            sum += Int(count)
            if sum >= wanted { return Self.upperEnd(of: index) }
        }
        return nil
    }

    private static func bucket(of latency: UInt64) -> Int {
        let microseconds = max(1, latency / 1000)
        let exponent = 63 - microseconds.leadingZeroBitCount
        // The two bits below the highest one.
        let quarter =
            exponent >= 2
            ? Int(microseconds >> UInt64(exponent - 2)) & 3 : Int(microseconds << UInt64(2 - exponent)) & 3
        return min(bucketCount - 1, exponent * 4 + quarter)
    }

    private static func upperEnd(of bucket: Int) -> UInt64 {
        (UInt64(5 + bucket % 4) << UInt64(bucket / 4)) * 250
    }
}
