import Testing

@testable import Bench

@Suite struct LatencyHistogramTests {
    @Test func figuresAreThoseOfAllCallers() {
        var all = LatencyHistogram()
        for caller in 0..<4 {
            var own = LatencyHistogram()
            for index in 0..<250 { own.record(.milliseconds(caller * 250 + index + 1)) }
            all.add(own)
        }
        let figures = all.figures
        #expect(all.count == 1000)
        #expect(abs(figures.mean - 500.5) < 1e-6)
        // Of 1…1000: the root of n(n+1)/12.
        #expect(abs(figures.sd - 288.8194) < 1e-3)
        let percentiles: [(Double, Double)] = [
            (figures.p50, 500), (figures.p90, 900), (figures.p95, 950), (figures.p99, 990), (figures.p999, 999),
            (figures.max, 1000),
        ]
        for (value, exact) in percentiles { #expect(abs(value - exact) <= exact / 500, "\(exact)") }
    }

    /// In the middle of a bucket, which no figure is beyond.
    @Test func theLongestIsExact() {
        var (all, own) = (LatencyHistogram(), LatencyHistogram())
        for latency in [100_001, 100_037, 4] { own.record(.microseconds(latency)) }
        all.add(own)
        for figures in [own.figures, all.figures] {
            #expect(abs(figures.max - 100.037) < 1e-6 && figures.p999 <= figures.max && figures.p50 <= figures.p90)
        }
        #expect(all.longest == all.figures.max && all.distribution.last?.ms == all.longest)
    }

    @Test func nothingMeasuredIsZero() {
        #expect(LatencyFigures.none == LatencyHistogram().figures)
        #expect(LatencyFigures.none.mean == 0 && LatencyFigures.none.p99 == 0 && LatencyFigures.none.sd == 0)
        #expect(LatencyHistogram().distribution.isEmpty)
    }

    @Test func whatNeverEndsOrGoesBackIsBounded() {
        var histogram = LatencyHistogram()
        histogram.record(.seconds(1 << 40))
        histogram.record(.seconds(-5))
        #expect(histogram.count == 2)
        #expect(abs(histogram.milliseconds(at: 100) - 86_400_000) < 86_400)
        #expect(histogram.milliseconds(at: 0) == 0)
    }

    @Test func theCurveRises() {
        var histogram = LatencyHistogram()
        for index in 1...5000 { histogram.record(.microseconds(index * index)) }
        let curve = histogram.distribution.map(\.ms)
        #expect(curve.count == LatencyHistogram.curve.count && curve == curve.sorted())
    }

    @Test func percentilesHaveNames() {
        #expect([nil, 50, 99.9].map { LatencyFigures.name(of: $0) } == ["mean", "p50", "p99.9"])
        var figures = LatencyFigures.none
        (figures.mean, figures.p50, figures.p90, figures.p95, figures.p99, figures.p999) = (1, 2, 3, 4, 5, 6)
        #expect([nil, 50, 90, 95, 99, 99.9].map { figures.value(of: $0) } == [1, 2, 3, 4, 5, 6])
    }
}
