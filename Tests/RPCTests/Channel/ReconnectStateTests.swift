import Testing

@testable import RPC

@Suite struct ReconnectStateTests {
    private var random = SystemRandomNumberGenerator()
    private static let backoff = Backoff(initial: .milliseconds(100), factor: 2, longest: .seconds(1), jitter: 0)
    private static let down = RPCError(.unavailable, "down", neverStarted: true)

    private func name(_ decision: ReconnectState.Decision) -> String {
        switch decision {
        case .use: "use"
        case .connect: "connect"
        case .wait: "wait"
        case .fail(let error): "fail: \(error.message)"
        }
    }

    @Test mutating func theFirstCallConnectsAndOthersWait() {
        var state = ReconnectState(Self.backoff)
        #expect(name(state.callCame(waitsForReady: false)) == "connect")
        #expect(name(state.callCame(waitsForReady: false)) == "wait")
        #expect(state.connected() == true)
        #expect(name(state.callCame(waitsForReady: false)) == "use")
    }

    @Test mutating func duringBackoffCallsFailUnlessTheyWaitForReady() {
        var state = ReconnectState(Self.backoff)
        _ = state.callCame(waitsForReady: false)
        #expect(state.failed(Self.down, using: &random) == .milliseconds(100))
        #expect(name(state.callCame(waitsForReady: false)) == "fail: down")
        #expect(name(state.callCame(waitsForReady: true)) == "wait")
        #expect(state.backoffEnded(hasWaiters: true) == true)
        #expect(name(state.callCame(waitsForReady: false)) == "wait")
        #expect(state.failed(Self.down, using: &random) == .milliseconds(200))
    }

    @Test mutating func whenNobodyWaitsItConnectsNoMore() {
        var state = ReconnectState(Self.backoff)
        _ = state.callCame(waitsForReady: false)
        _ = state.failed(Self.down, using: &random)
        #expect(state.backoffEnded(hasWaiters: false) == false)
        #expect(name(state.callCame(waitsForReady: false)) == "connect")
    }

    @Test mutating func aLostConnectionThatWasOfUseIsReplacedAtOnce() {
        var state = ReconnectState(Self.backoff)
        _ = state.callCame(waitsForReady: false)
        _ = state.connected()
        #expect(state.lost(wasOfUse: true, using: &random) == nil)
        #expect(name(state.callCame(waitsForReady: false)) == "connect")
    }

    @Test mutating func aServerThatAlwaysSaysGoodbyeIsNotHammered() {
        var state = ReconnectState(Self.backoff)
        for wait in [100, 200, 400] {
            #expect(name(state.callCame(waitsForReady: true)) == "connect")
            _ = state.connected()
            #expect(state.lost(wasOfUse: false, using: &random) == .milliseconds(wait))
            // Calls do not fail for it: nobody was asked yet.
            #expect(name(state.callCame(waitsForReady: false)) == "wait")
            #expect(state.backoffEnded(hasWaiters: false) == false)
        }
    }

    @Test mutating func anAnswerForgetsFailures() {
        var state = ReconnectState(Self.backoff)
        _ = state.callCame(waitsForReady: true)
        _ = state.failed(Self.down, using: &random)
        _ = state.backoffEnded(hasWaiters: true)
        _ = state.connected()
        _ = state.lost(wasOfUse: true, using: &random)
        _ = state.callCame(waitsForReady: true)
        #expect(state.failed(Self.down, using: &random) == .milliseconds(100))
    }

    @Test mutating func closedItStaysClosed() {
        var state = ReconnectState(Self.backoff)
        _ = state.callCame(waitsForReady: true)
        state.close()
        #expect(state.connected() == false)
        #expect(state.failed(Self.down, using: &random) == nil)
        #expect(name(state.callCame(waitsForReady: true)) == "fail: the channel was closed")
    }
}
