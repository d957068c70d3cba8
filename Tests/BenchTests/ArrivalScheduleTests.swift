import Testing

@testable import Bench

@Suite struct ArrivalScheduleTests {
    private static func times(_ arrivals: Arrivals, rate: Double, seed: UInt64 = 1, count: Int) -> [Double] {
        var schedule = ArrivalSchedule(arrivals, rate: rate, seed: seed)
        return (0..<count).map { _ in schedule.next() / .seconds(1) }
    }

    @Test func constantArrivalsKeepTheirDistanceWithoutDrift() {
        let times = Self.times(.constant, rate: 30, count: 30_001)
        #expect(times[0] == 0)
        #expect(abs(times[1] - 1.0 / 30) < 1e-9)
        #expect(abs(times[30_000] - 1000) < 1e-6)
    }

    @Test func theSameSeedGivesTheSamePoissonArrivals() {
        let one = Self.times(.poisson, rate: 100, seed: 7, count: 100)
        #expect(one == Self.times(.poisson, rate: 100, seed: 7, count: 100))
        #expect(one != Self.times(.poisson, rate: 100, seed: 8, count: 100))
    }

    /// Distances of a Poisson process are exponential: as much spread as mean, and a share of 1/e is longer than that.
    @Test func poissonArrivalsAreExponential() {
        let times = Self.times(.poisson, rate: 50, count: 20_000)
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let spread = (gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)).squareRoot()
        #expect(gaps.allSatisfy { $0 >= 0 })
        #expect(abs(mean * 50 - 1) < 0.03)
        #expect(abs(spread * 50 - 1) < 0.05)
        #expect(abs(Double(gaps.count { $0 > 0.02 }) / Double(gaps.count) - 0.3679) < 0.02)
    }

    @Test func ratesOutsideOfTheLimitsAreTheNearest() {
        #expect(Self.times(.constant, rate: 0, count: 2)[1] == 1 / ArrivalSchedule.rates.lowerBound)
        #expect(Self.times(.constant, rate: .infinity, count: 2)[1] == 1 / ArrivalSchedule.rates.upperBound)
    }
}
