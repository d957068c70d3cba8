import NIOCore
import Testing

@testable import RPC

@Suite struct DeadlineSweepTests {
    private static func time(_ microseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .microseconds(microseconds)
    }

    @Test func theEarliestCounts() {
        var sweep = DeadlineSweep()
        #expect(sweep.add(Self.time(9000)) == Self.time(9000))
        #expect(sweep.add(Self.time(9500)) == nil)
        #expect(sweep.add(Self.time(4000)) == Self.time(4000))
        #expect(sweep.armed == Self.time(4000))
        sweep.fired()
        #expect(sweep.add(Self.time(9500)) == Self.time(10_000))
    }

    /// A thousand calls that are due a microsecond after each other are looked at once or twice.
    @Test func callsThatFollowEachOtherShareAStep() {
        var sweep = DeadlineSweep()
        var times: [NIODeadline] = []
        for due in (0..<1000).reversed() {
            if let time = sweep.add(Self.time(5500 + Int64(due))) { times.append(time) }
        }
        #expect(times == [Self.time(7000), Self.time(6000)])
    }

    @Test func noDeadlineIsNoTrouble() {
        var sweep = DeadlineSweep()
        #expect(sweep.add(.distantFuture) == .distantFuture)
    }
}
