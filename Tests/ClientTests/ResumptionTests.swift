import RPC
import Testing

@testable import Client

@Suite struct ResumptionTests {
    private static let lost = RPCError(.unavailable, "connection reset", lostConnection: true)
    private let start = ContinuousClock.now

    @Test func aLostStreamBeginsAgainAtOnceAndThenWithBackoff() throws {
        var resumption = Resumption(timeout: .seconds(30))
        #expect(!resumption.isNews)
        let wait1 = resumption.wait(after: Self.lost, answered: 5, now: start)
        #expect(wait1 == .zero)
        #expect(resumption.isNews)
        #expect(resumption.reason == "connection reset")
        let again = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(1))
        let second = try #require(again)
        #expect(second > .zero)
        #expect(!resumption.isNews)
        #expect(resumption.losses == 2)
    }

    @Test func withoutAnAnswerItEndsAfterItsTime() {
        var resumption = Resumption(timeout: .seconds(30))
        let wait2 = resumption.wait(after: Self.lost, answered: 5, now: start)
        #expect(wait2 != nil)
        let wait3 = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(29))
        #expect(wait3 != nil)
        let wait4 = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(30))
        #expect(wait4 == nil)
    }

    @Test func itKnowsHowLongItHasTried() {
        var resumption = Resumption(timeout: .seconds(30))
        #expect(resumption.lasting(now: start) == nil)
        _ = resumption.wait(after: Self.lost, answered: 5, now: start)
        #expect(resumption.lasting(now: start + .seconds(1)) == nil)
        _ = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(26))
        _ = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(30))
        #expect(resumption.lasting(now: start + .seconds(30)) == .seconds(30))
        // It was answered meanwhile.
        _ = resumption.wait(after: Self.lost, answered: 6, now: start + .seconds(40))
        #expect(resumption.lasting(now: start + .seconds(41)) == nil)
    }

    /// Neither the wait before an attempt nor the attempt itself goes beyond its end.
    @Test func theTimeIsKeptToTheEnd() {
        var resumption = Resumption(timeout: .seconds(3))
        #expect(resumption.patience(now: start) == nil)
        _ = resumption.wait(after: Self.lost, answered: 5, now: start)
        #expect(resumption.patience(now: start) == .seconds(3))
        #expect(resumption.patience(now: start + .seconds(1)) == .seconds(2))
        let atTheEnd = resumption.wait(after: Self.lost, answered: 5, now: start + .milliseconds(2_999))
        #expect(atTheEnd == .milliseconds(1))
        #expect(resumption.patience(now: start + .seconds(3)) == .zero)
        #expect(resumption.patience(now: start + .seconds(4)) == .zero)
        let behindIt = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(3))
        #expect(behindIt == nil)
    }

    /// As behind the end of what `bench` measures.
    @Test func thatHasLessTimeAllAtOnceCountsItFromTheLoss() {
        var resumption = Resumption(timeout: .seconds(30))
        _ = resumption.wait(after: Self.lost, answered: 5, now: start)
        resumption.hurry(.seconds(5))
        #expect(resumption.patience(now: start + .seconds(3)) == .seconds(2))
        let atTheEnd = resumption.wait(after: Self.lost, answered: 5, now: start + .milliseconds(4_999))
        #expect(atTheEnd == .milliseconds(1))
        // It never has more.
        resumption.hurry(.seconds(10))
        let behindIt = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(5))
        #expect(behindIt == nil)
    }

    @Test func thatHadItsTimeLongAgoEndsAtOnce() {
        var resumption = Resumption(timeout: .seconds(30))
        _ = resumption.wait(after: Self.lost, answered: 5, now: start)
        resumption.hurry(.seconds(5))
        #expect(resumption.patience(now: start + .seconds(12)) == .zero)
        let wait = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(12))
        #expect(wait == nil)
    }

    @Test func anAnswerBetweenTwoLossesBeginsTheTimeAnew() {
        var resumption = Resumption(timeout: .seconds(30))
        let wait5 = resumption.wait(after: Self.lost, answered: 5, now: start)
        #expect(wait5 != nil)
        resumption.opened(at: start + .seconds(1))
        let wait6 = resumption.wait(after: Self.lost, answered: 6, now: start + .seconds(40))
        #expect(wait6 == .zero)
        #expect(resumption.isNews)
    }

    /// Of which nothing is answered between two losses that are far from each other.
    @Test func aQuietStreamThatFoundACoordinatorHasItsTimeAnew() {
        var resumption = Resumption(timeout: .seconds(30))
        let first = resumption.wait(after: Self.lost, answered: 5, now: start)
        #expect(first == .zero)
        resumption.opened(at: start + .milliseconds(10))
        let second = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(40))
        #expect(second == .zero)
        #expect(resumption.isNews)
        #expect(resumption.patience(now: start + .seconds(40)) == .seconds(30))
        // Nobody is there any more.
        let third = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(69))
        #expect(third != nil)
        let last = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(70))
        #expect(last == nil)
    }

    @Test func aCoordinatorThatIsLostAgainSoonBeginsNoTimeAnew() {
        var resumption = Resumption(timeout: .seconds(30))
        for second in 0..<30 {
            let wait = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(second))
            #expect(wait != nil)
            resumption.opened(at: start + .seconds(second))
        }
        let last = resumption.wait(after: Self.lost, answered: 5, now: start + .seconds(30))
        #expect(last == nil)
    }

    @Test func aCoordinatorThatBreaksAfterEachAnswerIsNotAskedAgainAtOnce() throws {
        var resumption = Resumption(timeout: .seconds(30))
        var now = start
        var waits: [Duration] = []
        for answered in 1...40 {
            resumption.opened(at: now)
            let next = resumption.wait(after: Self.lost, answered: answered, now: now)
            let wait = try #require(next)
            waits.append(wait)
            now += wait + .milliseconds(10)
        }
        #expect(waits[0] == .zero)
        #expect(waits.dropFirst().allSatisfy { $0 >= .milliseconds(80) })
        #expect(waits.suffix(20).allSatisfy { $0 >= .milliseconds(3900) })
        // It has gone well for a while.
        resumption.opened(at: now)
        let after = resumption.wait(after: Self.lost, answered: 100, now: now + .seconds(20))
        #expect(after == .zero)
    }

    @Test func aCoordinatorThatShutsDownIsLostToo() {
        var resumption = Resumption(timeout: .seconds(30))
        let wait7 = resumption.wait(after: RPCError(.unavailable, "shutting down"), answered: 0, now: start)
        #expect(wait7 == .zero)
    }

    @Test func whatTheCoordinatorRefusesIsNotSentAgain() {
        var resumption = Resumption(timeout: .seconds(30))
        let wait8 = resumption.wait(after: RPCError(.invalidArgument, "no such"), answered: 0, now: start)
        #expect(wait8 == nil)
        let wait9 = resumption.wait(after: CancellationError(), answered: 0, now: start)
        #expect(wait9 == nil)
    }

    @Test func withNoTimeNothingIsResumed() {
        var resumption = Resumption(timeout: .zero)
        let wait10 = resumption.wait(after: Self.lost, answered: 5, now: start)
        #expect(wait10 == nil)
    }
}
