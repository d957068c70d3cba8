import NIOCore
import Testing

@testable import RPC

/// Attempts one after the other with a hedge beside them. No clock, no socket.
@Suite struct FailoverStateTests {
    static let policy = RetryStateTests.policy(
        failover: FailoverPolicy(faults: [.internal], isolatesSuspects: true))

    /// A call whose hedge is due after 100 ms.
    private struct Call {
        var state: FailoverState
        var throttle: RetryThrottle?
        private var random = SystemRandomNumberGenerator()

        init(limit: Int = 5, deadline: Int? = nil, throttle: RetryThrottle? = nil) {
            state = FailoverState(
                FailoverStateTests.policy, maxAttempts: limit,
                deadline: deadline.map { Deadline(instant: HedgeStateTests.time($0)) }, hedgeDelay: .milliseconds(100))
            self.throttle = throttle
        }

        mutating func began(at time: Int) -> Int? { state.began(now: HedgeStateTests.time(time)).map(Self.time) }

        mutating func due(at time: Int) -> SideBySideDecision {
            state.due(throttle: throttle, now: HedgeStateTests.time(time))
        }

        mutating func fail(_ error: RPCError, at time: Int, hasOther: Bool = true) -> SideBySideDecision {
            state.failed(
                RetryState.Failure(error: error, hasOther: hasOther), throttle: throttle,
                now: HedgeStateTests.time(time), using: &random)
        }

        private static func time(_ instant: NIODeadline) -> Int {
            Int((instant - RetryStateTests.start).nanoseconds / 1_000_000)
        }
    }

    private func wait(_ time: Int? = nil) -> SideBySideDecision { .wait(until: time.map(HedgeStateTests.time)) }

    private static let full = RPCError(.resourceExhausted, "full")
    private static let broken = RPCError(.internal, "broken")

    // ---- hedges ----

    @Test func aSecondAttemptBeginsElsewhereAfterTheDelayAndNoThird() {
        var call = Call()
        #expect(call.began(at: 0) == 100)
        #expect(call.due(at: 99) == wait(100))
        #expect(call.due(at: 100) == .hedge)
        #expect(call.state.demand == EndpointDemand(elsewhereOnly: true, isHedge: true))
        #expect(call.began(at: 100) == nil)
        #expect(call.due(at: 1000) == wait())
        #expect(call.state.retries == 1)
        #expect(call.state.attempts == 2)
    }

    @Test func theLastAttemptThatIsAllowedGivesUpForNoOther() {
        var call = Call(limit: 2)
        _ = call.began(at: 0)
        #expect(call.state.givesUp != nil)
        #expect(call.due(at: 100) == .hedge)
        _ = call.began(at: 100)
        #expect(call.state.givesUp == nil)
    }

    @Test func whereNoOtherHasRoomItIsAskedForAgain() {
        var call = Call()
        _ = call.began(at: 0)
        #expect(call.due(at: 100) == .hedge)
        #expect(call.state.cannotHedge(now: HedgeStateTests.time(100)) == HedgeStateTests.time(200))
        #expect(call.due(at: 200) == .hedge)
        #expect(call.state.retries == 0)
    }

    @Test func noHedgeBeginsAfterTheDeadline() {
        var call = Call(deadline: 100)
        #expect(call.began(at: 0) == nil)
    }

    @Test func withoutABudgetForRetriesThereIsNoHedgeUntilThereIsOne() {
        let throttle = RetryThrottle(maxTokens: 2, tokenRatio: 1)
        throttle.failed()
        var call = Call(throttle: throttle)
        _ = call.began(at: 0)
        #expect(call.due(at: 100) == wait(200))
        throttle.succeeded()
        #expect(call.due(at: 200) == .hedge)
    }

    @Test func theChannelCapsAttemptsOfAllKinds() {
        var call = Call(limit: 1)
        #expect(call.began(at: 0) == nil)
    }

    @Test func stoppedItBeginsNothingMore() {
        var call = Call()
        _ = call.began(at: 0)
        #expect(call.state.stop() == wait())
        #expect(call.due(at: 100) == wait())
        #expect(call.fail(RetryStateTests.lost, at: 110) == .fail)
    }

    // ---- one of two fails ----

    @Test(arguments: [full, broken, RetryStateTests.error(.unavailable), RetryStateTests.lost, RetryStateTests.unsent])
    func whatTheOtherAttemptMayMakeGoodIsLeftToIt(_ error: RPCError) {
        var call = Call()
        _ = call.began(at: 0)
        _ = call.due(at: 100)
        _ = call.began(at: 100)
        #expect(call.fail(error, at: 150) == wait())
        #expect(call.state.retries == 1)
        // That fails too: it goes on as it would have without a hedge.
        #expect(call.fail(RetryStateTests.error(.unavailable), at: 160) == .start)
        #expect(call.state.retries == 2)
    }

    @Test func anAnswerAboutTheRequestEndsTheCallWhateverElseRuns() {
        var call = Call()
        _ = call.began(at: 0)
        _ = call.due(at: 100)
        _ = call.began(at: 100)
        #expect(call.fail(RPCError(.invalidArgument, ""), at: 150) == .fail)
    }

    @Test func whenBothAreAtFaultAndThereIsNoOtherTheLastOneSaysWhy() {
        var call = Call()
        _ = call.began(at: 0)
        _ = call.due(at: 100)
        _ = call.began(at: 100)
        #expect(call.fail(Self.broken, at: 150, hasOther: false) == wait())
        #expect(call.fail(Self.broken, at: 160, hasOther: false) == .fail)
        #expect(call.state.ending(Self.broken).message == "broken")
    }

    // ---- suspects ----

    @Test func aCallThatLostItsConnectionIsSuspectAndNotHedged() {
        var call = Call()
        _ = call.began(at: 0)
        #expect(call.fail(RetryStateTests.lost, at: 10) == .start)
        #expect(call.state.demand == EndpointDemand(isSuspect: true))
        #expect(call.began(at: 10) == nil)
        #expect(call.due(at: 500) == wait())
        #expect(call.fail(RetryStateTests.lost, at: 510) == .fail)
        #expect(call.state.ending(RetryStateTests.lost).code == .internal)
    }

    @Test func twoEndpointsThatDieOfOneCallSideBySideAreEnough() {
        var call = Call()
        _ = call.began(at: 0)
        _ = call.due(at: 100)
        _ = call.began(at: 100)
        #expect(call.fail(RetryStateTests.lost, at: 150) == wait())
        #expect(call.fail(RetryStateTests.lost, at: 160) == .fail)
        #expect(call.state.ending(RetryStateTests.lost).code == .internal)
    }
}
