import RPC
import Testing

@testable import Mesh

@Suite struct OutcomeTests {
    typealias Outcome = Balancer<String>.Outcome

    @Test(arguments: [
        (RPCError(.unavailable, ""), Outcome.failed),
        (RPCError(.unavailable, "", neverStarted: true), .unmeasured),
        (RPCError(.unavailable, "", lostConnection: true), .failed),
        (RPCError(.internal, "", lostConnection: true), .failed),
        (RPCError(.internal, "", neverStarted: true), .unmeasured),
        (RPCError(.resourceExhausted, ""), .unmeasured),
        (RPCError(.aborted, ""), .answered),
        (RPCError(.internal, ""), .failed),
        (RPCError(.invalidArgument, ""), .answered),
        (RPCError(.notFound, ""), .answered),
        (RPCError(.cancelled, "", neverStarted: true), .unmeasured),
    ])
    func anErrorIsBlamedOnTheRightOne(_ error: RPCError, _ outcome: Outcome) {
        #expect(Outcome(.failed(error), after: .milliseconds(20)) == outcome)
    }

    @Test(arguments: [(20, Outcome.abandoned), (999, .abandoned), (1000, .late)])
    func aMissedDeadlineIsBlamedOnWhoHadTheTime(_ milliseconds: Int, _ outcome: Outcome) {
        #expect(Outcome(.failed(RPCError(.deadlineExceeded, "")), after: .milliseconds(milliseconds)) == outcome)
    }

    @Test(arguments: [
        (nil as RPCError?, Outcome.streamed), (RPCError(.notFound, ""), .streamed),
        (RPCError(.cancelled, ""), .streamed),
        (RPCError(.deadlineExceeded, ""), .streamed), (RPCError(.unavailable, ""), .failed),
        (RPCError(.unavailable, "", lostConnection: true), .failed),
    ])
    func aStreamThatWasAnsweredIsAFailureOnlyIfItsEndpointEndedIt(_ error: RPCError?, _ outcome: Outcome) {
        #expect(Outcome(.streamed(error), after: .seconds(100)) == outcome)
    }

    @Test func anAttemptThatWasGivenUpIsNoFailure() {
        #expect(Outcome(.abandoned, after: .seconds(1)) == .abandoned)
        #expect(Outcome(.answered, after: .seconds(1)) == .answered)
    }
}
