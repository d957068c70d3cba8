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

    /// A script with `trap 'kill $pid' INT` sends SIGTERM to whom the terminal has told of Ctrl-C.
    @Test func anotherSignalAtOnceIsTheSameWish() {
        var seen = SeenSignals()
        #expect(seen.first == nil)
        let meanings = [(UnixSignal.sigint, 0), (.sigterm, 3), (.sigterm, 500)].map {
            seen.saw($0, at: Self.start + .milliseconds($1))
        }
        #expect(meanings == [.end, .echo, .endAtOnce])
        #expect(seen.first == .sigint)
    }
}
