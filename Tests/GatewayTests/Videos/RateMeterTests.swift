import Testing

@testable import Gateway

@Suite struct RateMeterTests {
    private static let start = ContinuousClock.now

    @Test func framesThatWereDoneBeforeDoNotCount() {
        var meter = RateMeter(start: Self.start, frames: 1000)
        #expect(meter.rate(at: Self.start, frames: 1000) == 0)
        #expect(meter.rate(at: Self.start + .seconds(2), frames: 1020) == 10)
    }

    @Test func onlyTheLastSecondsCount() {
        var meter = RateMeter(start: Self.start, frames: 0)
        var frames: Int64 = 0
        for second in 1...20 {
            frames += 100
            _ = meter.rate(at: Self.start + .seconds(second), frames: frames)
        }
        for second in 21...30 {
            frames += 10
            _ = meter.rate(at: Self.start + .seconds(second), frames: frames)
        }
        #expect(meter.rate(at: Self.start + .seconds(31), frames: frames + 10) == 10)
    }
}
