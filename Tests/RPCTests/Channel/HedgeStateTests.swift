import NIOCore
import Testing

@testable import RPC

extension HedgeState {
    mutating func failed(
        _ error: RPCError, hadConnection: Bool = true, throttle: RetryThrottle?, now: NIODeadline
    ) -> SideBySideDecision {
        var random = SystemRandomNumberGenerator()
        return failed(
            RetryState.Failure(error: error, hadConnection: hadConnection), throttle: throttle, now: now, using: &random
        )
    }
}

/// The rules of gRPC A6 for attempts side by side. No clock, no socket.
@Suite struct HedgeStateTests {
    static let policy = HedgingPolicy(maxAttempts: 3, delay: .milliseconds(100), nonFatalStatusCodes: [.unavailable])

    static func time(_ milliseconds: Int) -> NIODeadline {
        Deadline.after(.milliseconds(milliseconds), from: RetryStateTests.start).instant
    }

    private func state(limit: Int = 5, deadline: Int? = nil, _ policy: HedgingPolicy = policy) -> HedgeState {
        HedgeState(policy: policy, maxAttempts: limit, deadline: deadline.map { Deadline(instant: Self.time($0)) })
    }

    private func unavailable(pushback: String? = nil) -> RPCError {
        RetryStateTests.error(.unavailable, pushback: pushback)
    }

    @Test func oneMoreAttemptBeginsAfterEachDelay() {
        var call = state()
        #expect(call.began(now: Self.time(0)) == Self.time(100))
        #expect(call.due(throttle: nil, now: Self.time(99)) == .wait(until: Self.time(100)))
        #expect(call.due(throttle: nil, now: Self.time(100)) == .start)
        #expect(call.began(now: Self.time(100)) == Self.time(200))
        #expect(call.due(throttle: nil, now: Self.time(205)) == .start)
        #expect(call.began(now: Self.time(205)) == nil)
        #expect(call.due(throttle: nil, now: Self.time(900)) == .wait(until: nil))
        #expect(call.attempts == 3)
    }

    @Test func theChannelCapsEveryPolicy() {
        var call = state(limit: 1)
        #expect(call.began(now: Self.time(0)) == nil)
    }

    @Test func aNonFatalErrorBringsTheNextAttemptForward() {
        var call = state()
        _ = call.began(now: Self.time(0))
        #expect(call.failed(unavailable(), throttle: nil, now: Self.time(10)) == .start)
    }

    @Test func anAnswerThatHasBegunIsTheCallsOnlyOne() {
        var call = state()
        _ = call.began(now: Self.time(0))
        var error = unavailable()
        error.isCommitted = true
        #expect(call.failed(error, throttle: nil, now: Self.time(10)) == .fail)
    }

    @Test func theLastNonFatalErrorEndsTheCall() {
        var call = state(HedgingPolicy(maxAttempts: 2, delay: .zero))
        _ = call.began(now: Self.time(0))
        _ = call.due(throttle: nil, now: Self.time(0))
        _ = call.began(now: Self.time(0))
        #expect(call.failed(unavailable(), throttle: nil, now: Self.time(5)) == .wait(until: nil))
        #expect(call.failed(unavailable(), throttle: nil, now: Self.time(6)) == .fail)
    }

    @Test func aFatalErrorEndsTheCallWhateverElseRuns() {
        var call = state(HedgingPolicy(maxAttempts: 2, delay: .zero))
        _ = call.began(now: Self.time(0))
        _ = call.began(now: Self.time(0))
        #expect(call.failed(RPCError(.invalidArgument, ""), throttle: nil, now: Self.time(5)) == .fail)
    }

    @Test(arguments: ["-1", "abc"])
    func aServerMayForbidMoreAttempts(_ pushback: String) {
        var call = state()
        _ = call.began(now: Self.time(0))
        _ = call.due(throttle: nil, now: Self.time(100))
        _ = call.began(now: Self.time(100))
        #expect(call.failed(unavailable(pushback: pushback), throttle: nil, now: Self.time(150)) == .wait(until: nil))
        // What runs goes on, and nothing follows it.
        #expect(call.due(throttle: nil, now: Self.time(500)) == .wait(until: nil))
        #expect(call.failed(unavailable(), throttle: nil, now: Self.time(600)) == .fail)
    }

    @Test func aServerMayPutTheNextAttemptOff() {
        var call = state()
        _ = call.began(now: Self.time(0))
        #expect(
            call.failed(unavailable(pushback: "250"), throttle: nil, now: Self.time(10))
                == .wait(until: Self.time(260)))
        #expect(call.due(throttle: nil, now: Self.time(260)) == .start)
    }

    @Test func anAttemptThatWouldBeginAfterTheDeadlineIsNotWaitedFor() {
        var call = state(deadline: 200)
        _ = call.began(now: Self.time(0))
        #expect(call.failed(unavailable(pushback: "1000000000"), throttle: nil, now: Self.time(10)) == .fail)
    }

    @Test func afterTheDeadlineNothingBegins() {
        var call = state(deadline: 50)
        _ = call.began(now: Self.time(0))
        #expect(call.failed(RetryStateTests.unsent, throttle: nil, now: Self.time(50)) == .fail)
    }

    @Test func withoutABudgetOnlyTheFirstAttemptIsMade() {
        let throttle = RetryThrottle(maxTokens: 2)
        throttle.failed()
        var call = state()
        _ = call.began(now: Self.time(0))
        #expect(call.due(throttle: throttle, now: Self.time(100)) == .wait(until: nil))
        #expect(call.failed(unavailable(), throttle: throttle, now: Self.time(120)) == .fail)
    }

    @Test func attemptsThatReachedNoHandlerAreNotCounted() {
        var call = state()
        _ = call.began(now: Self.time(0))
        #expect(call.failed(RetryStateTests.refused, throttle: nil, now: Self.time(1)) == .start)
        #expect(call.attempts == 0)
        _ = call.began(now: Self.time(1))
        #expect(call.retries == 1)
    }

    @Test func withoutAConnectionTheOthersGoOn() {
        var call = state(HedgingPolicy(maxAttempts: 2, delay: .zero))
        _ = call.began(now: Self.time(0))
        _ = call.began(now: Self.time(0))
        #expect(
            call.failed(RetryStateTests.unsent, hadConnection: false, throttle: nil, now: Self.time(1))
                == .wait(until: nil))
        #expect(
            call.failed(RetryStateTests.unsent, hadConnection: false, throttle: nil, now: Self.time(1)) == .fail)
    }

    @Test func stoppedItBeginsNothingMore() {
        var call = state()
        _ = call.began(now: Self.time(0))
        #expect(call.stop() == .wait(until: nil))
        #expect(call.failed(unavailable(), throttle: nil, now: Self.time(1)) == .fail)
    }
}
