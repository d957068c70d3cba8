import Testing

@testable import framemesh

@Suite struct ProgressTests {
    private let start = ContinuousClock.now

    @Test func rateAndRemainingTimeFollowFromWhatWasDone() {
        var progress = Progress(total: 100, start: start)
        for _ in 0..<20 { progress.advance() }
        let now = start + .seconds(2)
        #expect(progress.rate(at: now) == 10)
        #expect(progress.remaining(at: now) == 8)
        let line = progress.line(at: now)
        #expect(
            line.contains("20/100") && line.contains("20%") && line.contains("10 frames/s") && line.contains("ETA 0:08")
        )
        #expect(!line.contains("dropped") && !line.contains("failed"))
    }

    @Test func theRateIsThatOfTheLastSeconds() {
        var progress = Progress(total: nil, start: start)
        for second in 1...20 {
            progress.advance(second <= 10 ? 100 : 1)
            _ = progress.line(at: start + .seconds(second))
        }
        #expect(progress.rate(at: start + .seconds(20)) <= 1.3)
    }

    @Test func dropsAndFailuresAreCounted() {
        var progress = Progress(total: 10, start: start)
        progress.advance(dropped: true)
        progress.advance(failed: true)
        progress.advance()
        let line = progress.line(at: start + .seconds(1))
        #expect(line.contains("1 dropped") && line.contains("1 failed") && line.contains("3/10"))
    }

    @Test func nothingDoneHasNoRateAndNoEnd() {
        var progress = Progress(total: 10, start: start)
        #expect(progress.rate(at: start) == 0)
        #expect(progress.remaining(at: start + .seconds(1)) == nil)
        #expect(!progress.line(at: start + .seconds(1)).contains("ETA"))
    }

    @Test func whatAnEarlierRunLeftDoesNotCountForTheRate() {
        var progress = Progress(.bytes, total: 2_000_000, done: 1_000_000, start: start)
        progress.reach(1_500_000, at: start + .seconds(1))
        #expect(progress.rate(at: start + .seconds(1)) == 500_000)
        #expect(progress.line(at: start + .seconds(1)).contains("500 kB/s"))
        progress.reach(100, at: start + .seconds(2))
        #expect(progress.rate(at: start + .seconds(3)) == 0)
    }

    @Test(arguments: [(0.0, "0:00"), (8, "0:08"), (59.5, "1:00"), (3_723, "1:02:03"), (1e12, "99:59:59")])
    func remainingTimeReadsLikeAClock(_ seconds: Double, _ text: String) {
        #expect(Progress.clock(seconds) == text)
    }

    @Test(arguments: [(UInt64(999), "999 B"), (1_384_268, "1.4 MB"), (20_000, "20 kB"), (3_210_000_000, "3.21 GB")])
    func bytesAreShort(_ count: UInt64, _ text: String) {
        #expect(Progress.bytes(count) == text)
    }
}
