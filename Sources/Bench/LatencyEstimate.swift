import Foundation

/// The distribution of latencies out of those that were seen whole and those that were cut off: the product-limit estimate.
///
/// A frame without an answer would have taken at least its age. To leave it out would hide the slowest ones (coordinated omission);
/// to take its age for its latency would make all look quicker than they are, since a frame is on average half as old when it is
/// cut off as it becomes. So its share goes to those that took longer; where there are none, the figure is the age of the
/// oldest, which is the least that it can be. Frames that were on their way before the measurement count from their age
/// then on, since they would not have been seen had they been quicker.
///
/// Sources: Kaplan and Meier, "Nonparametric Estimation from Incomplete Observations" (1958); Tsai, Jewell and Wang, "A note
/// on the product-limit estimator under right censoring and left truncation" (1987).
struct LatencyEstimate {
    /// Milliseconds, rising, with the shares of frames that took so long.
    private var steps: [(value: Double, share: Double)] = []
    /// Milliseconds, exact.
    private let longest: Double

    /// Of no frame that was answered nothing is known but the age of those that were not.
    init(answered: LatencyHistogram, _ cut: CutFrames) {
        longest = max(answered.longest, cut.unanswered.longest)
        var changes: [UInt64: Change] = [:]
        for (value, count) in answered.buckets { changes[value, default: Change()].answered = count }
        for (value, count) in cut.unanswered.buckets { changes[value, default: Change()].unanswered = count }
        for (value, count) in cut.begun.buckets { changes[value, default: Change()].begun = count }
        // All that took so long or longer; from above, since that is where all counts are known.
        var (ended, begun) = (0.0, 0.0)
        var atRisk: [(value: UInt64, change: Change, count: Double)] = []
        for (value, change) in changes.sorted(by: { $0.key > $1.key }) {
            ended += change.answered + change.unanswered
            atRisk.append((value, change, ended - begun))
            begun += change.begun
        }
        var left = 1.0
        for (value, change, count) in atRisk.reversed() where change.answered > 0 {
            // Before the last one, all that are known of may have ended here: that says nothing of those that came later.
            let all = value < atRisk[0].value ? max(count, change.answered + 1) : max(count, change.answered)
            let share = left * change.answered / all
            // Of the longest, its bucket may be beyond it.
            steps.append((min(Double(value) / 1000, longest), share))
            left -= share
        }
        if left > Self.rounding, !atRisk.isEmpty { steps.append((longest, left)) }
    }

    private struct Change {
        var answered = 0.0
        var unanswered = 0.0
        var begun = 0.0
    }

    /// What sums of shares may be off.
    private static let rounding = 1e-12

    /// Milliseconds that `percentile` (0…100) of the frames did not exceed; 0 of nothing.
    func milliseconds(at percentile: Double) -> Double {
        guard percentile < 100 else { return longest }
        var sum = 0.0
        for (value, share) in steps {
            sum += share
            if sum >= percentile / 100 - Self.rounding { return value }
        }
        return longest
    }

    var figures: LatencyFigures {
        let mean = steps.reduce(0) { $0 + $1.share * $1.value }
        let square = steps.reduce(0) { $0 + $1.share * pow($1.value - mean, 2) }
        return LatencyFigures(
            mean: mean, sd: square.squareRoot(), p50: milliseconds(at: 50), p90: milliseconds(at: 90),
            p95: milliseconds(at: 95), p99: milliseconds(at: 99), p999: milliseconds(at: 99.9),
            max: milliseconds(at: 100))
    }

    var distribution: [DistributionPoint] {
        steps.isEmpty
            ? [] : LatencyHistogram.curve.map { DistributionPoint(percentile: $0, ms: milliseconds(at: $0)) }
    }
}
