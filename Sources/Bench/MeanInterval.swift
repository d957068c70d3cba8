/// The mean of some samples, and how far the true one may be from it.
package struct MeanInterval: Sendable, Equatable {
    package var mean: Double
    /// To each side; nil: less than two samples say nothing of it.
    package var margin: Double?
    /// Of a difference: how likely one as large would be found where there is none (two-sided, Welch); nil: as `margin`.
    package var probability: Double?

    /// How sure an interval is.
    package static let confidence = 0.95

    /// - Parameter resolution: the step in which samples are known: of many that were rounded to the same number, nobody knows
    ///   that they were the same.
    package init(_ samples: [Double], resolution: Double = 0) {
        let spread = Spread(samples, resolution)
        mean = spread.mean
        guard samples.count > 1 else { return }
        let freedom = Double(samples.count - 1)
        margin =
            StudentT.quantile(middle: Self.confidence, freedom: freedom)
            * (spread.variance / Double(samples.count)).squareRoot()
    }

    /// Of the difference of two means, whose samples need not vary alike (Welch).
    package init(of samples: [Double], minus base: [Double], resolution: Double = 0) {
        let (new, old) = (Spread(samples, resolution), Spread(base, resolution))
        mean = new.mean - old.mean
        guard samples.count > 1, base.count > 1 else { return }
        let shares = (new.variance / Double(samples.count), old.variance / Double(base.count))
        let sum = shares.0 + shares.1
        guard sum > 0 else {
            margin = 0
            probability = mean == 0 ? 1 : 0
            return
        }
        let freedom =
            sum * sum
            / (shares.0 * shares.0 / Double(samples.count - 1) + shares.1 * shares.1 / Double(base.count - 1))
        margin = StudentT.quantile(middle: Self.confidence, freedom: freedom) * sum.squareRoot()
        probability = StudentT.tails(abs(mean) / sum.squareRoot(), freedom)
    }
}

/// Mean and variance of a sample.
private struct Spread {
    var mean: Double
    /// No less than that of what rounding took away, which is anywhere in a step.
    var variance: Double

    init(_ samples: [Double], _ resolution: Double) {
        let mean = samples.isEmpty ? 0 : samples.reduce(0, +) / Double(samples.count)
        self.mean = mean
        let found =
            samples.count < 2
            ? 0 : samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(samples.count - 1)
        variance = max(found, resolution * resolution / 12)
    }
}
