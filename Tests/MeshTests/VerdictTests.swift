import RPC
import Testing

@testable import Mesh

@Suite struct VerdictTests {
    @Test(arguments: [
        (RPCError(.unavailable, ""), Verdict(outcome: .failed, retries: true)),
        (RPCError(.unavailable, "", neverStarted: true), Verdict(outcome: .unmeasured, retries: true)),
        (RPCError(.unavailable, "", lostConnection: true), Verdict(outcome: .failed, retries: true)),
        (RPCError(.internal, "", lostConnection: true), Verdict(outcome: .failed, retries: true)),
        (RPCError(.internal, "", neverStarted: true), Verdict(outcome: .unmeasured, retries: true)),
        (RPCError(.resourceExhausted, ""), Verdict(outcome: .unmeasured, retries: true)),
        (RPCError(.aborted, ""), Verdict(outcome: .answered, retries: true)),
        (RPCError(.internal, ""), Verdict(outcome: .failed, retries: false)),
        (RPCError(.invalidArgument, ""), Verdict(outcome: .answered, retries: false)),
        (RPCError(.notFound, ""), Verdict(outcome: .answered, retries: false)),
        (RPCError(.cancelled, "", neverStarted: true), Verdict(outcome: .unmeasured, retries: false)),
    ])
    func anErrorIsBlamedOnTheRightOne(_ error: RPCError, _ verdict: Verdict) {
        #expect(Verdict.on(error, after: .milliseconds(20)) == verdict)
    }

    @Test(arguments: [
        (20, false, Verdict(outcome: .unmeasured, retries: false)),
        (999, false, Verdict(outcome: .unmeasured, retries: false)),
        (1000, false, Verdict(outcome: .failed, retries: false)),
        (1000, true, Verdict(outcome: .failed, retries: true)),
    ])
    func aMissedDeadlineIsBlamedOnWhoHadTheTime(_ milliseconds: Int, _ hasMoreTime: Bool, _ verdict: Verdict) {
        let error = RPCError(.deadlineExceeded, "")
        #expect(Verdict.on(error, after: .milliseconds(milliseconds), hasMoreTime: hasMoreTime) == verdict)
    }
}
