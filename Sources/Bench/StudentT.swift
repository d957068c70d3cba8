import Foundation

/// Student's t distribution, for means of few samples.
enum StudentT {
    /// How far from the mean the middle `share` of the distribution reaches, in standard errors.
    /// - Parameters:
    ///   - share: above 0 and below 1.
    ///   - freedom: degrees of freedom, above 0; need not be whole.
    static func quantile(middle share: Double, freedom: Double) -> Double {
        // Bisection: the tail falls as t grows.
        var (low, high) = (0.0, 1.0)
        while tails(high, freedom) > 1 - share, high < 1e9 { high *= 2 }
        for _ in 0..<200 where high - low > 1e-12 * high {
            let middle = (low + high) / 2
            if tails(middle, freedom) > 1 - share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The probability of being further than `t` from the mean, on both sides.
    static func tails(_ t: Double, _ freedom: Double) -> Double {
        incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
    }

    /// The regularized incomplete beta function I_x(a, b), by its continued fraction (Lentz's method).
    private static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log(1 - x))
        // The fraction converges quickly on this side of the mean only.
        if x < (a + 1) / (a + b + 2) { return front * fraction(x, a, b) / a }
        return 1 - front * fraction(1 - x, b, a) / b
    }

    /// Stirling's series, where it is exact to the last digits.
    private static func logGamma(_ x: Double) -> Double {
        var (x, below) = (x, 0.0)
        while x < 10 {
            below += log(x)
            x += 1
        }
        let series = 1 / (12 * x) - 1 / (360 * x * x * x) + 1 / (1260 * x * x * x * x * x)
        return (x - 0.5) * log(x) - x + 0.5 * log(2 * .pi) + series - below
    }

    private static let tiny = 1e-300
    private static let maxTerms = 300

    private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / kept(1 - (a + b) * x / (a + 1))
        var result = d
        for term in 1...maxTerms {
            let m = Double(term)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / kept(1 + even * d)
            c = kept(1 + even / c)
            result *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / kept(1 + odd * d)
            c = kept(1 + odd / c)
            result *= d * c
            if abs(d * c - 1) < 1e-14 { break }
        }
        return result
    }
}
