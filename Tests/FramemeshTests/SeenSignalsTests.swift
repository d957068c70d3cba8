import Testing
import UnixSignals

@testable import framemesh

@Suite struct SeenSignalsTests {
    private static let start = ContinuousClock.now

    @Test func aSignalThatComesTwiceAtOnceIsOne() {
        var seen = SeenSignals()
        let meanings = [Duration.zero, .milliseconds(1), .milliseconds(499), .milliseconds(500)].map {
            seen.saw(.sigint, at: Self.start + $0)
        }
        #expect(meanings == [.end, .echo, .echo, .endAtOnce])
        #expect(seen.first == .sigint)
    }

    @Test func anotherSignalIsNoEcho() {
        var seen = SeenSignals()
        #expect(seen.first == nil)
        let meanings = [UnixSignal.sigint, .sigterm].map { seen.saw($0, at: Self.start) }
        #expect(meanings == [.end, .endAtOnce])
        #expect(seen.first == .sigint)
    }
}
