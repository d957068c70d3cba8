/// The mean of some samples, and how far the true one may be from it.
package struct MeanInterval: Sendable, Equatable {
    package var mean: Double
    /// To each side; nil: less than two samples say nothing of it.
    package var margin: Double?

    /// How sure an interval is.
    package static let confidence = 0.95

    package init(_ samples: [Double]) {
        let spread = Spread(samples)
        mean = spread.mean
        guard samples.count > 1 else { return }
        let freedom = Double(samples.count - 1)
        margin =
            StudentT.quantile(middle: Self.confidence, freedom: freedom)
            * (spread.variance / Double(samples.count)).squareRoot()
    }

    /// Of the difference of two means, whose samples need not vary alike (Welch).
    package init(of samples: [Double], minus base: [Double]) {
        let (new, old) = (Spread(samples), Spread(base))
        mean = new.mean - old.mean
        guard samples.count > 1, base.count > 1 else { return }
        let shares = (new.variance / Double(samples.count), old.variance / Double(base.count))
        let sum = shares.0 + shares.1
        guard sum > 0 else {
            margin = 0
            return
        }
        let freedom =
            sum * sum
            / (shares.0 * shares.0 / Double(samples.count - 1) + shares.1 * shares.1 / Double(base.count - 1))
        margin = StudentT.quantile(middle: Self.confidence, freedom: freedom) * sum.squareRoot()
    }
}

/// Mean and variance of a sample.
private struct Spread {
    var mean: Double
    var variance: Double

    init(_ samples: [Double]) {
        let mean = samples.isEmpty ? 0 : samples.reduce(0, +) / Double(samples.count)
        self.mean = mean
        variance =
            samples.count < 2
            ? 0 : samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(samples.count - 1)
    }
}
