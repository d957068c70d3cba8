import NIOCore
import Testing

@testable import RPC

/// Attempts at another endpoint, and calls whose connection was lost.
extension RetryStateTests {
    @Test func anotherEndpointIsAskedAtOnce() {
        var call = Call(Self.policy(failover: FailoverPolicy()))
        #expect(call.fail(Self.error(.unavailable), hasOther: true) == 0)
        #expect(call.fail(Self.error(.unavailable), hasOther: false) == 100)
    }

    @Test func aFullEndpointSpeaksForItselfAlone() {
        for pushback in ["1000", "-1"] {
            var call = Call(Self.policy(failover: FailoverPolicy()))
            let isNever = pushback == "-1"
            #expect(
                call.fail(Self.error(.resourceExhausted, pushback: pushback), hasOther: true) == (isNever ? nil : 0))
        }
        // Other errors are not about how full it is.
        var call = Call(Self.policy(failover: FailoverPolicy()))
        #expect(call.fail(Self.error(.unavailable, pushback: "1000"), hasOther: true) == 1000)
    }

    @Test func aPushbackIsWrittenAsItIsRead() {
        let error = RPCError(.resourceExhausted, "full")
        #expect(error.pushback == nil)
        #expect(error.pushingBack(.microseconds(1500)).pushback == .milliseconds(2))
        #expect(error.pushingBack(.zero).pushback == .zero)
        #expect(error.pushingBack(.seconds(-1)).pushback == .zero)
        #expect(error.pushingBack(.seconds(1_000_000_000_000)).pushback == .milliseconds(Int64(Int32.max)))
    }

    @Test func withoutFailoverTheBackoffIsKept() {
        var call = Call(Self.policy())
        #expect(call.fail(Self.error(.unavailable), hasOther: true) == 100)
    }

    @Test func aFullEndpointIsPassedOverButNotAskedTwice() {
        var call = Call(Self.policy(failover: FailoverPolicy()))
        #expect(call.fail(Self.error(.resourceExhausted), hasOther: true) == 0)
        #expect(call.fail(Self.error(.resourceExhausted), hasOther: false) == nil)
    }

    static let lastHop = policy(failover: FailoverPolicy(faults: [.internal], isolatesSuspects: true))

    @Test func whatOneEndpointIsAtFaultWithIsTriedOnEachOther() {
        var call = Call(Self.lastHop)
        #expect(call.fail(Self.error(.internal), hasOther: true) == 0)
        #expect(call.state.demand == EndpointDemand(elsewhereOnly: true))
        // Its answer had begun, but nobody has seen it.
        #expect(call.fail(Self.error(.internal, committed: true), hasOther: true) == 0)
        #expect(call.fail(Self.error(.internal), hasOther: false) == nil)
    }

    @Test func whenNoOtherEndpointCanBeAskedAfterAllTheFaultIsTheAnswer() {
        var call = Call(Self.lastHop)
        #expect(call.fail(RPCError(.internal, "broken"), hasOther: true) == 0)
        #expect(call.fail(Self.unsent, hadConnection: false) == nil)
        #expect(call.state.ending(Self.unsent).message == "broken")
        #expect(call.state.ending(RPCError(.cancelled, "gone")).message == "gone")
    }

    @Test func aFaultCostsTheBudget() {
        let throttle = RetryThrottle(maxTokens: 4)
        var call = Call(Self.lastHop, throttle: throttle)
        #expect(call.fail(Self.error(.internal), hasOther: true) == 0)
        #expect(call.fail(Self.error(.internal), hasOther: true) == nil)
        #expect(call.state.limit == .retryBudget)
    }

    @Test(arguments: [StatusCode.invalidArgument, .notFound, .failedPrecondition, .unimplemented, .unauthenticated])
    func anAnswerAboutTheRequestIsFinal(_ code: StatusCode) {
        var call = Call(Self.lastHop)
        #expect(call.fail(Self.error(code), hasOther: true) == nil)
    }

    @Test func aCallThatTwoEndpointsWereLostWithIsNotSentToAThird() {
        var call = Call(Self.lastHop)
        #expect(call.fail(Self.lost) == 0)
        #expect(call.state.demand == EndpointDemand(isSuspect: true))
        #expect(call.fail(Self.lost, hasOther: true) == nil)
        let end = call.state.ending(Self.lost)
        #expect(end.code == .internal)
        #expect(end.message == "two endpoints were lost while they ran this call; it is not sent to a third")
        // It would be hidden from whoever asked, and sent again by who makes lost connections good.
        #expect(!end.lostConnection)
    }

    @Test func aSuspectStaysOneWhateverElseHappens() {
        var call = Call(Self.lastHop)
        #expect(call.fail(Self.lost) == 0)
        #expect(call.fail(Self.refused) == 0)
        #expect(call.fail(Self.error(.resourceExhausted), hasOther: true) == 0)
        #expect(call.state.demand == EndpointDemand(elsewhereOnly: true, isSuspect: true))
        #expect(call.fail(Self.lost, hasOther: true) == nil)
    }

    @Test func whoWasSuspectBeforeIsSoFromTheStart() {
        var state = RetryState(policy: Self.lastHop, maxAttempts: 5, deadline: nil, isSuspect: true)
        #expect(state.demand == EndpointDemand(isSuspect: true))
        var random = SystemRandomNumberGenerator()
        let decision = state.failed(
            RetryState.Failure(error: Self.lost, hasOther: true), throttle: nil, now: Self.start, using: &random)
        #expect(decision == .fail)
    }

    @Test func whatNoHandlerSawMakesNoSuspect() {
        var call = Call(Self.lastHop)
        #expect(call.fail(Self.unsent) == 0)
        #expect(call.fail(Self.refused) == 0)
        #expect(call.state.demand == EndpointDemand())
    }

    @Test func aLostCallIsSentOnceMoreWithoutBudgetToo() {
        let throttle = RetryThrottle(maxTokens: 1)
        throttle.failed()
        var call = Call(Self.policy(1, failover: FailoverPolicy()), throttle: throttle)
        #expect(call.fail(Self.lost) == 0)
        #expect(call.state.previousAttempts == 1)
        #expect(call.fail(Self.lost) == nil)
    }

    @Test func callsThatAreLostAgainAndAgainAreBounded() {
        var call = Call(Self.policy(4, failover: FailoverPolicy()))
        #expect(call.fail(Self.lost, times: 4) == [0, 100, 200, nil])
    }

    @Test func withoutFailoverALostCallIsThePolicysAffair() {
        var once = Call(nil)
        #expect(once.fail(Self.lost) == nil)
        var retried = Call(Self.policy())
        #expect(retried.fail(Self.lost) == 100)
    }

    @Test func anAttemptThatHungIsMadeAgainWhileTheCallHasTime() {
        let hung = Self.error(.deadlineExceeded, committed: true)
        var call = Call(Self.policy(failover: FailoverPolicy()), deadline: .seconds(10))
        #expect(call.fail(hung, at: .seconds(5), hasOther: true, hasMoreTime: true) == 0)
        #expect(call.fail(hung, at: .seconds(7), hasOther: true, hasMoreTime: false) == nil)
    }
}
