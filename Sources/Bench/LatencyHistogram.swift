import Foundation
import Histogram

/// Latencies of many frames, to a thousandth of each.
package struct LatencyHistogram: Sendable {
    /// What takes longer counts as this long.
    package static let longest: Duration = .seconds(86_400)

    /// How well a latency is known: three digits, as a share of it.
    package static let resolution = 0.001

    /// Microseconds.
    private var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    /// Of microseconds, exact: a histogram knows values by their bucket only.
    private var sum = 0.0
    private var squares = 0.0
    private var most = 0.0

    package init() {}

    package var count: UInt64 { histogram.totalCount }

    package mutating func record(_ latency: Duration) {
        let value = max(0, min(latency, Self.longest) / .microseconds(1))
        histogram.record(UInt64(value.rounded()))
        sum += value
        squares += value * value
        most = max(most, value)
    }

    package mutating func add(_ other: LatencyHistogram) {
        histogram.add(other.histogram)
        sum += other.sum
        squares += other.squares
        most = max(most, other.most)
    }

    /// Milliseconds; 0 of nothing.
    package var mean: Double { count == 0 ? 0 : sum / Double(count) / 1000 }

    /// Standard deviation of the sample, milliseconds; 0 of less than two.
    package var deviation: Double {
        guard count > 1 else { return 0 }
        let number = Double(count)
        return max(0, (squares - sum * sum / number) / (number - 1)).squareRoot() / 1000
    }

    /// Milliseconds that `percentile` (0…100) of the frames did not exceed; 0 of nothing.
    package func milliseconds(at percentile: Double) -> Double {
        guard count > 0, percentile < 100 else { return longest }
        return min(Double(histogram.valueAtPercentile(percentile)) / 1000, longest)
    }

    /// The longest, milliseconds, exact; 0 of nothing.
    package var longest: Double { most / 1000 }

    /// Values in microseconds, each to a thousandth, with how many there are.
    var buckets: [(value: UInt64, count: Double)] {
        histogram.recordedValues().map { (histogram.medianEquivalentForValue($0.value), Double($0.count)) }
    }

    package var figures: LatencyFigures {
        LatencyFigures(
            mean: mean, sd: deviation, p50: milliseconds(at: 50), p90: milliseconds(at: 90), p95: milliseconds(at: 95),
            p99: milliseconds(at: 99), p999: milliseconds(at: 99.9), max: milliseconds(at: 100))
    }

    /// Percentiles that a curve of the distribution is drawn through: denser towards the slowest, which are what is looked for.
    static let curve: [Double] = [
        0, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97.5, 99, 99.5, 99.9, 99.95, 99.99, 100,
    ]

    package var distribution: [DistributionPoint] {
        count == 0 ? [] : Self.curve.map { DistributionPoint(percentile: $0, ms: milliseconds(at: $0)) }
    }
}

/// Milliseconds. In JSON, those of no frame are null.
package struct LatencyFigures: Sendable, Codable, Equatable {
    package var mean: Double
    /// Standard deviation.
    package var sd: Double
    package var p50, p90, p95, p99: Double
    /// 99.9 of 100 took no longer.
    package var p999: Double
    /// Exact, as no percentile is.
    package var max: Double

    /// Of no frame.
    package static let none = LatencyHistogram().figures

    /// - Parameter percentile: nil: the mean.
    package static func name(of percentile: Double?) -> String {
        percentile.map { "p" + ($0 == $0.rounded() ? String(Int($0)) : String($0)) } ?? "mean"
    }
}

extension LatencyFigures {
    private enum CodingKeys: String, CodingKey {
        case mean, sd, p50, p90, p95, p99, p999, max
    }

    package init(from decoder: any Decoder) throws {
        guard try !decoder.singleValueContainer().decodeNil() else {
            self = Self.none
            return
        }
        let figures = try decoder.container(keyedBy: CodingKeys.self)
        func figure(_ key: CodingKeys) throws -> Double { try figures.decode(Double.self, forKey: key) }
        try self.init(
            mean: figure(.mean), sd: figure(.sd), p50: figure(.p50), p90: figure(.p90), p95: figure(.p95),
            p99: figure(.p99), p999: figure(.p999), max: figure(.max))
    }

    package func encode(to encoder: any Encoder) throws {
        guard self != Self.none else {
            var value = encoder.singleValueContainer()
            return try value.encodeNil()
        }
        var figures = encoder.container(keyedBy: CodingKeys.self)
        try figures.encode(mean, forKey: .mean)
        try figures.encode(sd, forKey: .sd)
        try figures.encode(p50, forKey: .p50)
        try figures.encode(p90, forKey: .p90)
        try figures.encode(p95, forKey: .p95)
        try figures.encode(p99, forKey: .p99)
        try figures.encode(p999, forKey: .p999)
        try figures.encode(max, forKey: .max)
    }
}

/// A point on the curve of a distribution.
package struct DistributionPoint: Sendable, Codable, Equatable {
    package var percentile: Double
    package var ms: Double
}
