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
        (RPCError(.deadlineExceeded, ""), Verdict(outcome: .failed, retries: false)),
        (RPCError(.internal, ""), Verdict(outcome: .failed, retries: false)),
        (RPCError(.invalidArgument, ""), Verdict(outcome: .answered, retries: false)),
        (RPCError(.notFound, ""), Verdict(outcome: .answered, retries: false)),
        (RPCError(.cancelled, "", neverStarted: true), Verdict(outcome: .unmeasured, retries: false)),
    ])
    func anErrorIsBlamedOnTheRightOne(_ error: RPCError, _ verdict: Verdict) {
        #expect(Verdict.on(error) == verdict)
    }
}
