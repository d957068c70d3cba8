import NIOCore
import Testing

@testable import RPC

/// The rules of gRPC A6 for attempts one after the other. No clock, no socket.
@Suite struct RetryStateTests {
    static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    /// 100 ms, 200 ms, 400 ms, 800 ms, 1 s, without chance.
    static let backoff = Backoff(initial: .milliseconds(100), factor: 2, longest: .seconds(1), jitter: 0)

    static func policy(_ maxAttempts: Int = 4, failover: FailoverPolicy? = nil) -> RetryPolicy {
        RetryPolicy(maxAttempts: maxAttempts, backoff: backoff, statusCodes: [.unavailable], failover: failover)
    }

    static func error(_ code: StatusCode, pushback: String? = nil, committed: Bool = false) -> RPCError {
        var metadata = Metadata()
        if let pushback { metadata.add("grpc-retry-pushback-ms", pushback) }
        var error = RPCError(code, "", metadata: metadata)
        error.isCommitted = committed
        return error
    }

    static var unsent: RPCError { RPCError(.unavailable, "", neverStarted: true) }
    static var refused: RPCError {
        var error = unsent
        error.wasRefused = true
        return error
    }
    static var lost: RPCError { RPCError(.unavailable, "", lostConnection: true) }

    /// A call and what was decided for it, in milliseconds to wait; nil: it failed.
    struct Call {
        var state: RetryState
        var throttle: RetryThrottle?
        var random = SystemRandomNumberGenerator()

        init(
            _ policy: RetryPolicy?, limit: Int = 5, deadline: Duration? = nil, throttle: RetryThrottle? = nil
        ) {
            let deadline = deadline.map { Deadline.after($0, from: RetryStateTests.start) }
            state = RetryState(policy: policy, maxAttempts: limit, deadline: deadline)
            self.throttle = throttle
        }

        mutating func fail(
            _ error: RPCError, at time: Duration = .zero, hasOther: Bool = false, hasMoreTime: Bool = false,
            hadConnection: Bool = true
        ) -> Int? {
            let failure = RetryState.Failure(
                error: error, hadConnection: hadConnection, hasOther: hasOther, hasMoreTime: hasMoreTime)
            let now = Deadline.after(time, from: RetryStateTests.start).instant
            switch state.failed(failure, throttle: throttle, now: now, using: &random) {
            case .retry(let wait): return Int((wait / .milliseconds(1)).rounded())
            case .leave, .fail: return nil
            }
        }

        mutating func fail(_ error: RPCError, times: Int) -> [Int?] { (0..<times).map { _ in fail(error) } }
    }

    // ---- policy ----

    @Test func attemptsAreBoundedAndTheirWaitsGrow() {
        var call = Call(Self.policy(4))
        #expect(call.fail(Self.error(.unavailable), times: 4) == [100, 200, 400, nil])
        #expect(call.state.previousAttempts == 3)
    }

    @Test func theChannelCapsEveryPolicy() {
        var call = Call(Self.policy(100), limit: 5)
        #expect(call.fail(Self.error(.unavailable), times: 5) == [100, 200, 400, 800, nil])
    }

    @Test func waitsDifferByAFifth() {
        var policy = Self.policy()
        policy.backoff.jitter = 0.2
        let waits = (0..<300).map { _ in
            var call = Call(policy)
            return call.fail(Self.error(.unavailable)) ?? -1
        }
        #expect(waits.allSatisfy { (80...120).contains($0) })
        #expect(Set(waits).count > 20)
    }

    @Test func onlyTheCodesOfThePolicyAreRetried() {
        for code in (1...16).map(StatusCode.init(rawValue:)) {
            var call = Call(Self.policy())
            #expect((call.fail(Self.error(code)) != nil) == (code == .unavailable), "\(code)")
        }
    }

    @Test func withoutAPolicyNothingIsRetriedByItsStatus() {
        var call = Call(nil)
        #expect(call.fail(Self.error(.unavailable)) == nil)
    }

    @Test func afterAResponseHeadACallIsCommitted() {
        var call = Call(Self.policy())
        #expect(call.fail(Self.error(.unavailable, committed: true)) == nil)
    }

    // ---- time ----

    @Test func noAttemptBeginsAfterTheDeadline() {
        var call = Call(Self.policy(), deadline: .milliseconds(250))
        #expect(call.fail(Self.error(.unavailable)) == 100)
        // 100 ms are left, the wait is 200 ms.
        #expect(call.fail(Self.error(.unavailable), at: .milliseconds(150)) == nil)
    }

    @Test func afterTheDeadlineNotEvenATransparentRetryBegins() {
        for error in [Self.unsent, Self.refused, Self.lost, Self.error(.unavailable)] {
            var call = Call(Self.policy(failover: FailoverPolicy()), deadline: .milliseconds(100))
            #expect(call.fail(error, at: .milliseconds(100), hasOther: true) == nil)
        }
    }

    // ---- pushback ----

    @Test(
        arguments: [
            ("-1", nil), ("-2147483649", nil), ("abc", nil), ("", nil), ("1.5", nil), ("5 6", nil),
            ("99999999999", nil),
            ("0", 0), ("7", 7), (" 8", 8), ("3000", 3000), ("1000000000", 1_000_000_000),
        ] as [(String, Int?)])
    func theServerSaysWhen(_ pushback: String, _ wait: Int?) {
        var call = Call(Self.policy())
        #expect(call.fail(Self.error(.unavailable, pushback: pushback)) == wait)
    }

    @Test func aPushbackBeyondTheDeadlineEndsTheCallAtOnce() {
        var call = Call(Self.policy(), deadline: .seconds(60))
        #expect(call.fail(Self.error(.unavailable, pushback: "1000000000")) == nil)
    }

    @Test func aPushbackStartsTheBackoffAnew() {
        var call = Call(Self.policy(5))
        #expect(call.fail(Self.error(.unavailable), times: 2) == [100, 200])
        #expect(call.fail(Self.error(.unavailable, pushback: "5")) == 5)
        #expect(call.fail(Self.error(.unavailable)) == 100)
    }

    @Test func aPushbackDoesNotMakeAFatalCodeWorthARetry() {
        var call = Call(Self.policy())
        #expect(call.fail(Self.error(.invalidArgument, pushback: "1")) == nil)
    }

    // ---- transparent ----

    @Test func aRefusedAttemptIsMadeAgainOnceAtOnce() {
        var call = Call(nil)
        #expect(call.fail(Self.refused) == 0)
        #expect(call.state.previousAttempts == 0)
        #expect(call.state.retries == 1)
        #expect(call.fail(Self.refused) == nil)
    }

    @Test func refusedAgainItIsThePolicysAndTheBudgetsAffair() {
        let throttle = RetryThrottle(maxTokens: 4)
        var call = Call(Self.policy(5), throttle: throttle)
        // Once for nothing; then 4 tokens become 3, which is more than half, and 2, which is not.
        #expect(call.fail(Self.refused, times: 3) == [0, 100, nil])
    }

    @Test func whatWasNeverSentIsSentAgainButNotForEver() {
        var call = Call(nil)
        let waits = call.fail(Self.unsent, times: RPCChannelConfiguration.defaultMaxUnsentAttempts + 1)
        #expect(waits.dropLast().allSatisfy { $0 == 0 })
        #expect(waits.last == .some(nil))
    }

    @Test func transparentRetriesAreNeitherCountedNorPaidFor() {
        let throttle = RetryThrottle(maxTokens: 2)
        var call = Call(Self.policy(2), throttle: throttle)
        #expect(call.fail(Self.unsent, times: 3) == [0, 0, 0])
        #expect(call.fail(Self.refused) == 0)
        #expect(throttle.allowsRetry)
        #expect(call.state.previousAttempts == 0)
    }

    @Test func ourOwnLimitsAreNoTransparentRetries() {
        for code in [StatusCode.resourceExhausted, .cancelled, .unauthenticated] {
            var call = Call(nil)
            #expect(call.fail(RPCError(code, "", neverStarted: true)) == nil)
        }
    }

    @Test func withoutAConnectionOnlyThePolicyCounts() {
        var plain = Call(nil)
        #expect(plain.fail(Self.unsent, hadConnection: false) == nil)
        var retried = Call(Self.policy(2))
        #expect(retried.fail(Self.unsent, hadConnection: false) == 100)
        // Its source has waited for all endpoints.
        var failover = Call(Self.policy(failover: FailoverPolicy()))
        #expect(failover.fail(Self.unsent, hadConnection: false) == nil)
    }

    // ---- budget ----

    @Test func failuresUseTheBudgetUpAndAnswersBringItBack() {
        let throttle = RetryThrottle(maxTokens: 10, tokenRatio: 0.5)
        for left in [true, true, true, true, false, false] {
            var call = Call(Self.policy(), throttle: throttle)
            #expect((call.fail(Self.error(.unavailable)) != nil) == left)
        }
        // 4 tokens are left: more than 5 allow a retry.
        for _ in 0..<2 { throttle.succeeded() }
        #expect(!throttle.allowsRetry)
        throttle.succeeded()
        #expect(throttle.allowsRetry)
    }

    @Test func aPushbackThatForbidsRetriesCostsATokenWhateverTheCode() {
        let throttle = RetryThrottle(maxTokens: 2)
        var call = Call(Self.policy(), throttle: throttle)
        #expect(call.fail(Self.error(.invalidArgument, pushback: "-1")) == nil)
        #expect(!throttle.allowsRetry)
    }

    @Test func otherErrorsCostNothing() {
        let throttle = RetryThrottle(maxTokens: 2)
        for code in [StatusCode.invalidArgument, .notFound, .internal] {
            var call = Call(Self.policy(), throttle: throttle)
            #expect(call.fail(Self.error(code)) == nil)
        }
        #expect(throttle.allowsRetry)
    }

    @Test func aMeshThatIsHalfFullKeepsPassingOver() {
        let throttle = RetryThrottle(maxTokens: 10, tokenRatio: 0.1)
        for _ in 0..<10_000 {
            var call = Call(Self.policy(failover: FailoverPolicy()), throttle: throttle)
            #expect(call.fail(Self.error(.resourceExhausted), hasOther: true) == 0)
            throttle.succeeded()
        }
    }

    /// Every attempt of every call fails: in the long run there is one attempt per call.
    @Test(arguments: [StatusCode.unavailable, .resourceExhausted])
    func retriesDoNotMultiplyTheLoadOfAServerInTrouble(_ code: StatusCode) {
        let throttle = RetryThrottle(maxTokens: 100, tokenRatio: 0.1)
        var attempts = 0
        let calls = 20_000
        for _ in 0..<calls {
            var call = Call(Self.policy(5, failover: FailoverPolicy()), throttle: throttle)
            repeat { attempts += 1 } while call.fail(Self.error(code), hasOther: true) != nil
        }
        #expect(Double(attempts) < Double(calls) * 1.1)
    }

    @Test func aLimitOfOursIsNoFullEndpoint() {
        for (error, isRetried) in [
            (RPCError(.resourceExhausted, ""), true), (RPCError(.resourceExhausted, "", limit: .metadata), false),
            (RPCError(.resourceExhausted, "", neverStarted: true, limit: .pendingCalls), true),
        ] {
            var state = RetryState(
                policy: Self.policy(failover: FailoverPolicy()), maxAttempts: 5, deadline: nil)
            var random = SystemRandomNumberGenerator()
            let failure = RetryState.Failure(error: error, hasOther: true)
            let decision = state.failed(failure, throttle: nil, now: Self.start, using: &random)
            #expect(decision == (isRetried ? .retry(after: .zero) : .fail))
        }
    }

    /// What is no answer of gRPC, and may come of a proxy, is a fault of its endpoint, however it is counted.
    @Test func anAnswerThatIsWrongIsAFaultOfItsEndpoint() {
        let wrong = [
            RPCError(.unknown, "", limit: .notGRPC), RPCError(.unknown, "", limit: .malformedCall),
            RPCError(.internal, "", limit: .malformedCall),
        ]
        for error in wrong {
            for (runsElsewhere, expected) in [(false, RetryState.Decision.retry(after: .zero)), (true, .leave)] {
                let policy = Self.policy(failover: FailoverPolicy(faults: [.internal, .unknown]))
                var state = RetryState(policy: policy, maxAttempts: 5, deadline: nil)
                if runsElsewhere { state.hedged() }
                var random = SystemRandomNumberGenerator()
                let failure = RetryState.Failure(error: error, hasOther: true, runsElsewhere: runsElsewhere)
                let decision = state.failed(failure, throttle: nil, now: Self.start, using: &random)
                #expect(decision == expected, "\(error)")
            }
        }
    }

    @Test func whoForbidsMoreAttemptsIsHeardAlsoBesideAnotherAttempt() {
        var state = RetryState(policy: Self.lastHop, maxAttempts: 5, deadline: nil)
        var random = SystemRandomNumberGenerator()
        func fail(_ error: RPCError, runsElsewhere: Bool) -> RetryState.Decision {
            let failure = RetryState.Failure(error: error, hasOther: true, runsElsewhere: runsElsewhere)
            return state.failed(failure, throttle: nil, now: Self.start, using: &random)
        }
        state.hedged()
        #expect(fail(Self.error(.internal, pushback: "-1"), runsElsewhere: true) == .leave)
        #expect(fail(Self.error(.unavailable), runsElsewhere: false) == .fail)
    }
}
