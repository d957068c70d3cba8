import Testing

@testable import HTTP2

@Suite struct FloodGuardTests {
    private let second: UInt64 = 1_000_000_000

    private func limits(_ pings: Int) -> FloodGuard {
        var limits = FloodLimits()
        limits.pings = pings
        return FloodGuard(limits)
    }

    @Test func oneMoreThanTheLimitIsTooMany() {
        var flood = limits(3)
        let counted = (0..<4).map { _ in flood.count(.ping) }
        #expect(counted == [nil, nil, nil, "more than 3 PING frames in a second"])
    }

    @Test func aNewSecondBeginsAtZero() {
        var flood = limits(3)
        for time in 0..<20 {
            flood.advance(to: UInt64(time) * second)
            let counted = (0..<3).compactMap { _ in flood.count(.ping) }
            #expect(counted.isEmpty)
        }
    }

    @Test func pingsAreForgivenWhenWeSend() {
        var flood = limits(3)
        for _ in 0..<20 {
            let counted = (0..<3).compactMap { _ in flood.count(.ping) }
            #expect(counted.isEmpty)
            flood.forgivePings()
        }
    }

    @Test func kindsAreCountedApart() {
        var flood = limits(1)
        _ = flood.count(.ping)
        let others = [FloodGuard.Kind.resetReceived, .resetSent, .settings, .emptyData].compactMap { flood.count($0) }
        #expect(others.isEmpty)
    }
}
