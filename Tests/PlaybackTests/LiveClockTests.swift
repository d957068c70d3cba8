import Testing

@testable import Playback

@Suite struct LiveClockTests {
    @Test func timesAreThoseOfTheSourceFromItsZero() {
        var clock = LiveClock()
        clock.begin(at: 1_000_000)
        let times = [0, 40_000, 80_000].map { clock.time($0) }
        #expect(times == [1_000_000, 1_040_000, 1_080_000])
    }

    /// Called again, it sends at once what it has kept: times go on behind the last one all the same.
    @Test func aSourceThatBeginsAgainEarlierThanItEndedGoesOn() {
        var clock = LiveClock()
        clock.begin(at: 1_000_000)
        let last = clock.time(500_000)
        clock.begin(at: 1_200_000)
        let again = [0, 40_000].map { clock.time($0) }
        #expect(last == 1_500_000)
        #expect(again == [1_500_001, 1_540_001])
        clock.begin(at: 3_000_000)
        let later = clock.time(0)
        #expect(later == 3_000_000)
    }

    @Test func timesRiseWhateverTheSourceSays() {
        var clock = LiveClock()
        clock.begin(at: 1_000_000)
        let times = [10, 10, 5, .max, .max].map { clock.time($0) }
        #expect(times == [1_000_010, 1_000_011, 1_000_012, 1_000_013, 1_000_014])
    }

    @Test func aFrameWithoutATimeOfItsOwnWasTakenWhenItCame() {
        var clock = LiveClock()
        let start = ContinuousClock.now
        let times = [7, 9, 8].map { clock.arrival(now: $0, at: start) }
        #expect(times == [7, 9, 10])
    }

    @Test func aWallClockThatIsSetBackHoldsNoTimeUp() {
        var clock = LiveClock()
        let start = ContinuousClock.now
        let hour: Int64 = 3_600_000_000
        let first = clock.arrival(now: hour, at: start)
        // An hour less, for as long as it takes.
        var back: [Int64] = []
        for frame in 1...3 {
            back.append(clock.arrival(now: Int64(frame) * 40_000, at: start + .milliseconds(40 * frame)))
        }
        #expect(first == hour)
        #expect(back == [hour + 40_000, hour + 80_000, hour + 120_000])
        // Set right again, and then ahead.
        let right = clock.arrival(now: hour + 160_000, at: start + .milliseconds(160))
        let ahead = clock.arrival(now: 2 * hour, at: start + .milliseconds(200))
        let next = clock.arrival(now: 2 * hour, at: start + .milliseconds(240))
        #expect([right, ahead, next] == [hour + 160_000, 2 * hour, 2 * hour + 40_000])
    }
}
