import Testing

@testable import RPC

@Suite struct BackoffTests {
    @Test func waitsGrowUntilTheLongest() {
        var backoff = Backoff()
        backoff.jitter = 0
        var random = SystemRandomNumberGenerator()
        let waits = (1...12).map { backoff.wait(after: $0, using: &random) / .milliseconds(1) }
        #expect(abs(waits[0] - 100) < 0.001)
        #expect(abs(waits[1] - 160) < 0.001)
        #expect(abs(waits[2] - 256) < 0.001)
        #expect(waits == waits.sorted())
        #expect(waits.last == 5000)
    }

    @Test func chanceSpreadsThem() {
        let backoff = Backoff()
        var random = SystemRandomNumberGenerator()
        let waits = (0..<500).map { _ in backoff.wait(after: 1, using: &random) / .milliseconds(1) }
        #expect(waits.allSatisfy { (80...120).contains($0) })
        #expect(Set(waits).count > 100)
    }

    @Test(arguments: [Int.min, -1, 0, 1000, Int.max])
    func anyCountIsTaken(_ failures: Int) {
        var random = SystemRandomNumberGenerator()
        let wait = Backoff().wait(after: failures, using: &random)
        #expect(wait > .zero && wait <= .seconds(6))
    }
}
