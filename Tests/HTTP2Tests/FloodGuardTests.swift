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
        #expect(counted.map { $0?.message } == [nil, nil, nil, "more than 3 PING frames in a second"])
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
            flood.sentCallFrame(bytes: 0)
        }
    }

    @Test func tinyDataIsForgivenWhereFullFramesCome() {
        var limits = FloodLimits()
        limits.tinyData = 2
        var flood = FloodGuard(limits)
        for _ in 0..<20 {
            let counted = [1024, 3, 1024, 4].compactMap { flood.countData(bytes: $0) }
            #expect(counted.isEmpty)
        }
        flood.advance(to: second)
        let counted = (0..<3).map { _ in flood.countData(bytes: 1)?.limit }
        #expect(counted == [nil, nil, .tinyData])
    }

    @Test func dataWithoutBytesIsEmptyAndOfAMessageLengthFree() {
        var limits = FloodLimits()
        (limits.emptyData, limits.tinyData) = (0, 0)
        var flood = FloodGuard(limits)
        #expect(flood.countData(bytes: 0)?.limit == .emptyData)
        #expect(flood.countData(bytes: 4)?.limit == .tinyData)
        #expect(flood.countData(bytes: 5) == nil)
    }

    private func idle(_ limit: Int) -> FloodGuard {
        var limits = FloodLimits()
        limits.idleFrames = limit
        return FloodGuard(limits)
    }

    @Test func idleFramesHaveALimit() {
        var flood = idle(3)
        let counted = (0..<4).map { _ in flood.countIdle()?.limit }
        #expect(counted == [nil, nil, nil, .idleFrames])
    }

    @Test(arguments: [(0, 4), (1, 4), (2, 5), (1 << 18, 131_076)])
    func whatWeSendAllowsIdleFramesWheneverTheyCome(_ bytes: Int, _ allowed: Int) {
        var flood = idle(0)
        for _ in 0..<3 { flood.sentCallFrame(bytes: bytes) }
        flood.advance(to: 100 * second)
        let counted = (0..<3 * allowed + 1).map { _ in flood.countIdle()?.limit }
        #expect(counted == Array(repeating: nil, count: 3 * allowed) + [.idleFrames])
    }

    /// Each time anew, up to the limit.
    @Test(arguments: [0, 7, FloodLimits().maxIdleAllowance])
    func whatIsAllowedDoesNotGrowForEver(_ most: Int) {
        var limits = FloodLimits()
        (limits.idleFrames, limits.maxIdleAllowance) = (0, most)
        var flood = FloodGuard(limits)
        for _ in 0..<2 {
            for _ in 0..<2000 { flood.sentCallFrame(bytes: 1 << 20) }
            var allowed = 0
            while flood.countIdle() == nil { allowed += 1 }
            #expect(allowed == most)
        }
    }

    @Test func kindsAreCountedApart() {
        var flood = limits(1)
        _ = flood.count(.ping)
        let others = [FloodGuard.Kind.resetReceived, .resetSent, .settings, .emptyData].compactMap { flood.count($0) }
        #expect(others.isEmpty)
    }
}
