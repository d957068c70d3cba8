import NIOCore
import Testing

@testable import Node

@Suite struct BusyWindowTests {
    static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    @Test func theShareIsOfAllWorkers() {
        var window = BusyWindow(workers: 4, start: Self.start)
        #expect(window.ratio(.zero, now: Self.start) == 0, "nothing has passed")
        #expect(window.ratio(.seconds(2), now: Self.start + .seconds(2)) == 0.25)
    }

    @Test func whatIsLongAgoIsForgotten() {
        var window = BusyWindow(workers: 1, start: Self.start)
        // Busy for twenty seconds, then idle.
        for second in 1...20 { _ = window.ratio(.seconds(Int64(second)), now: Self.start + .seconds(Int64(second))) }
        #expect(window.ratio(.seconds(20), now: Self.start + .seconds(25)) > 0.4)
        #expect(window.ratio(.seconds(20), now: Self.start + .seconds(40)) < 0.4)
        #expect(window.ratio(.seconds(20), now: Self.start + .seconds(60)) == 0)
    }

    @Test func whoAsksOftenChangesNothingForOthers() {
        var often = BusyWindow(workers: 1, start: Self.start)
        var once = often
        for tenth in 1..<80 {
            let time = TimeAmount.milliseconds(Int64(tenth) * 100)
            _ = often.ratio(.nanoseconds(time.nanoseconds / 2), now: Self.start + time)
        }
        let end = Self.start + .seconds(8)
        #expect(often.ratio(.seconds(4), now: end) == once.ratio(.seconds(4), now: end))
    }
}
