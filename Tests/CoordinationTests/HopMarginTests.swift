import Services
import Testing

@testable import Coordination

@Suite struct HopMarginTests {
    @Test(arguments: [
        (Duration.seconds(4), Duration.milliseconds(200)), (.seconds(30), .milliseconds(250)),
        (.milliseconds(50), .milliseconds(5)), (.milliseconds(6), .milliseconds(3)), (.zero, .zero),
        (.seconds(-1), .zero),
    ])
    func aShareOfTheTimeIsKeptForTheWayHome(_ time: Duration, _ margin: Duration) {
        #expect(HopMargin().margin(of: time) == margin)
    }
}

@Suite struct RoomWaitTests {
    private struct Middle: RandomNumberGenerator {
        mutating func next() -> UInt64 { 1 << 63 }
    }

    private func wait(_ pushback: Duration?, remaining: Duration = .seconds(60)) -> Int? {
        var middle = Middle()
        return RoomWait().wait(pushback, remaining: remaining, using: &middle).map {
            Int(($0 / .milliseconds(1)).rounded())
        }
    }

    @Test func theNodesWordCountsWithinBounds() {
        #expect(wait(nil) == 10)
        #expect(wait(.milliseconds(1)) == 10)
        #expect(wait(.milliseconds(80)) == 80)
        #expect(wait(.seconds(1000)) == 500)
    }

    @Test func towardsTheEndItIsAskedForSooner() {
        #expect(wait(.milliseconds(400), remaining: .milliseconds(200)) == 100)
        #expect(wait(.milliseconds(400), remaining: .milliseconds(12)) == 10)
        #expect(wait(.milliseconds(400), remaining: .milliseconds(10)) == nil)
    }

    @Test func thoseThatWereRefusedTogetherDoNotComeBackTogether() {
        var random = SystemRandomNumberGenerator()
        let waits = (0..<50).compactMap { _ in
            RoomWait().wait(.milliseconds(100), remaining: .seconds(9), using: &random)
        }
        #expect(Set(waits).count > 10 && waits.allSatisfy { (.milliseconds(75)...(.milliseconds(125))).contains($0) })
    }
}
