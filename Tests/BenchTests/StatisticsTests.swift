import Testing

@testable import Bench

@Suite struct StatisticsTests {
    /// The two-sided 95 % and 99 % quantiles that tables of Student's t have.
    @Test(arguments: [
        (0.95, 1.0, 12.7062), (0.95, 2, 4.30265), (0.95, 4, 2.77645), (0.95, 10, 2.22814), (0.95, 30, 2.04227),
        (0.95, 1000, 1.96234), (0.99, 5, 4.03214), (0.5, 3, 0.76489),
    ])
    func quantilesAreThoseOfTables(_ share: Double, _ freedom: Double, _ expected: Double) {
        #expect(abs(StudentT.quantile(middle: share, freedom: freedom) / expected - 1) < 1e-4)
    }

    @Test func anIntervalOfAMeanIsThatOfTheTextbook() throws {
        let interval = MeanInterval([2, 4, 4, 6])
        #expect(interval.mean == 4)
        // s = 1.63299, t(3) = 3.18245.
        #expect(abs(try #require(interval.margin) - 3.18245 * 1.632993 / 2) < 1e-4)
        #expect(MeanInterval([7]).margin == nil && MeanInterval([]).mean == 0)
        #expect(MeanInterval(of: [5, 5], minus: [3, 3]).margin == 0)
        // s is no less than that of the step that the samples were rounded to: 0.6 / √12.
        let rounded = try #require(MeanInterval([5, 5], resolution: 0.6).margin)
        #expect(abs(rounded - 12.7062 * 0.173205 / 2.0.squareRoot()) < 1e-3)
    }

    /// Welch's example: unequal variances and sizes.
    @Test func differencesTakeUnequalSpreads() throws {
        let one = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4]
        let two = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.4]
        let difference = MeanInterval(of: two, minus: one)
        // 23.6533 − 20.82; t = 2.9 … with 27.7 degrees of freedom.
        #expect(abs(difference.mean - 2.8333) < 1e-3)
        let margin = try #require(difference.margin)
        #expect(margin > 1.9 && margin < 2.1)
        // By Simpson's rule over the density of t: t = 2.85295, 27.8873 degrees of freedom.
        #expect(abs(try #require(difference.probability) - 0.0080719) < 1e-6)
    }
}
