import RPC
import Testing

@testable import Playback

@Suite struct RedialTests {
    private static func redial(attempts: Int) -> Redial {
        var limits = SourceLimits()
        limits.attempts = attempts
        limits.reconnect = Backoff(initial: .seconds(1), factor: 2, longest: .seconds(3), jitter: 0)
        return Redial(limits)
    }

    private static func waits(_ redial: inout Redial, _ calls: Int) -> [Int64?] {
        var random = SystemRandomNumberGenerator()
        return (0..<calls).map { _ in redial.wait(using: &random)?.components.seconds }
    }

    @Test func callsInARowForNothingBecomeRarerAndEnd() {
        var redial = Self.redial(attempts: 5)
        #expect(Self.waits(&redial, 5) == [1, 2, 3, 3, nil])
    }

    @Test func aFrameMakesTheNextCallAFirstOne() {
        var redial = Self.redial(attempts: 3)
        #expect(Self.waits(&redial, 2) == [1, 2])
        redial.hadFrame()
        #expect(Self.waits(&redial, 3) == [1, 2, nil])
    }

    @Test func oneAttemptIsTheOnlyOne() {
        var redial = Self.redial(attempts: 1)
        redial.hadFrame()
        #expect(Self.waits(&redial, 1) == [nil])
    }
}
