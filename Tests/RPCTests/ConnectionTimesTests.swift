import HTTP2
import NIOCore
import Testing

@testable import RPC

/// When connections are asked, and when they end, as values.
@Suite struct ConnectionTimesTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test func aSilentPeerIsAskedAndGivenUp() {
        var keepalive = Keepalive(time: .seconds(100), timeout: .seconds(20), permitWithoutCalls: false)
        var steps: [Keepalive.Step] = []
        for second: Int64 in [0, 99, 100, 101, 119, 120] {
            steps.append(keepalive.step(at: at(second), lastRead: at(0), hasCalls: true))
        }
        #expect(steps == [.none, .none, .ping, .none, .none, .giveUp])
    }

    /// Else a peer that reads nothing would be given up before `outputTimeout` counts it.
    @Test func theKernelIsAsPatientAsWeAre() {
        let (server, client) = (ServerKeepalive(), ClientKeepalive.cluster)
        #expect(server.kernelTimeout(besideOutputs: .seconds(30)) == .seconds(30))
        #expect(server.kernelTimeout(besideOutputs: .seconds(2)) == .seconds(20))
        #expect(client.kernelTimeout(besideOutputs: .seconds(30)) == .seconds(30))
        #expect(client.kernelTimeout(besideOutputs: nil) == .seconds(5))
    }

    @Test func anythingReadIsASignOfLife() {
        var keepalive = Keepalive(time: .seconds(100), timeout: .seconds(20), permitWithoutCalls: false)
        var steps = [keepalive.step(at: at(100), lastRead: at(0), hasCalls: true)]
        for second: Int64 in [125, 200, 201] {
            steps.append(keepalive.step(at: at(second), lastRead: at(101), hasCalls: true))
        }
        #expect(steps == [.ping, .none, .none, .ping])
    }

    @Test func withoutCallsNobodyIsAskedUnlessPermitted() {
        var keepalive = Keepalive(time: .seconds(100), timeout: .seconds(20), permitWithoutCalls: false)
        let unasked = keepalive.step(at: at(500), lastRead: at(0), hasCalls: false)
        #expect(unasked == .none)
        var eager = Keepalive(time: .seconds(100), timeout: .seconds(20), permitWithoutCalls: true)
        let asked = eager.step(at: at(500), lastRead: at(0), hasCalls: false)
        #expect(asked == .ping)
    }

    @Test func aClientAsksNoMoreThanEveryTenSecondsAndSlowsDownWhenTold() {
        var keepalive = ClientKeepalive()
        #expect(keepalive.effectiveTime == nil)
        keepalive.time = .seconds(1)
        #expect(keepalive.effectiveTime == .seconds(10))
        let copy = keepalive
        copy.slowDown()
        #expect(keepalive.effectiveTime == .seconds(20))
        keepalive.slowDown()
        #expect(copy.effectiveTime == .seconds(40))
    }

    /// The seconds at which PINGs come; -1: HEADERS or DATA were sent.
    private func strikes(_ policy: PingPolicy, hasCalls: Bool, _ events: [Int64]) -> [Bool] {
        var strikes = PingStrikes(policy)
        var sent: UInt64 = 0
        var results: [Bool] = []
        for event in events {
            if event < 0 {
                sent += 1
            } else {
                results.append(strikes.received(at: at(event), hasCalls: hasCalls, framesSent: sent))
            }
        }
        return results
    }

    @Test func theThirdPingTooEarlyIsTooMany() {
        let policy = PingPolicy()
        #expect(strikes(policy, hasCalls: true, [0, 1, 2, 3]) == [false, false, false, true])
        #expect(strikes(policy, hasCalls: true, [0, 300, 600, 900, 1200]) == Array(repeating: false, count: 5))
        #expect(strikes(policy, hasCalls: false, [0, 300, 600, 900]) == [false, false, false, true])
        #expect(strikes(policy, hasCalls: false, [0, 7200, 14400, 21600]) == Array(repeating: false, count: 4))
    }

    @Test func whatWeSendWipesStrikesOut() {
        let atEachTurn = Array(repeating: [-1, 0], count: 50).flatMap { $0 }.map(Int64.init)
        #expect(!strikes(PingPolicy(), hasCalls: true, atEachTurn).contains(true))
        #expect(
            strikes(PingPolicy(), hasCalls: true, [0, 1, 2, -1, 3, 4, 5, 6]) == [false, false, false] + [
                false, false, false, true,
            ])
    }

    @Test func pingPoliciesCanBeRelaxed() {
        var policy = PingPolicy()
        policy.permitWithoutCalls = true
        policy.minTime = .seconds(1)
        #expect(!strikes(policy, hasCalls: false, Array(0..<100)).contains(true))
        policy = PingPolicy()
        policy.maxStrikes = nil
        #expect(!strikes(policy, hasCalls: true, Array(repeating: 0, count: 100)).contains(true))
    }

    private func steps(_ age: ConnectionAge, jitter: Double = 0, _ seconds: [Int64], hasCalls: (Int64) -> Bool)
        -> [AgeState.Step]
    {
        var state = AgeState(age, born: at(0), jitter: jitter)
        return seconds.map { state.step(at: at($0), hasCalls: hasCalls($0), lastCall: hasCalls($0) ? 3 : 1) }
    }

    @Test func anOldConnectionDrainsAndIsCutAfterItsGrace() {
        var age = ConnectionAge()
        #expect(steps(age, [0, 1_000_000]) { _ in true } == [.none, .none])
        age.maxAge = .seconds(100)
        let drain = AgeState.Step.drain(reason: "max_age")
        #expect(steps(age, [99, 100, 101, 100_000]) { _ in true } == [.none, drain, .none, .none])
        age.maxAgeGrace = .seconds(10)
        #expect(steps(age, [99, 100, 109, 110]) { _ in true } == [.none, drain, .none, .cut])
        #expect(steps(age, jitter: 0.1, [109, 110]) { _ in true } == [.none, drain])
        #expect(steps(age, jitter: -0.1, [89, 90]) { _ in true } == [.none, drain])
    }

    /// RFC 9113, section 5.1.1. It is not cut: what runs may end.
    @Test func aConnectionWhoseStreamIdsComeToTheirEndDrains() {
        var age = ConnectionAge()
        age.maxIdle = .seconds(10)
        age.maxAgeGrace = .seconds(1)
        var state = AgeState(age, born: at(0), jitter: 0)
        let calls = [1, AgeState.lastUnhurried, AgeState.lastUnhurried + 2, .max, .max]
        let steps = zip((0 as Int64)..., calls).map { state.step(at: at($0), hasCalls: true, lastCall: $1) }
        #expect(steps == [.none, .none, .drain(reason: "stream ids run out"), .none, .none])
    }

    @Test func anIdleConnectionDrains() {
        var age = ConnectionAge()
        age.maxIdle = .seconds(10)
        let drain = AgeState.Step.drain(reason: "max_idle")
        #expect(steps(age, [0, 9, 10, 11]) { _ in false } == [.none, .none, drain, .none])
        #expect(steps(age, [0, 9, 20, 40]) { $0 < 20 } == [.none, .none, .none, drain])
        #expect(steps(age, [0, 9, 10, 100]) { _ in true } == [.none, .none, .none, .none])
    }

    @Test func theLastGoAwayDoesNotWaitForEverForAPing() {
        var goAway = GoAwaySequence(patience: .seconds(20))
        let before = goAway.pingAnswered()
        let begins = [goAway.begin(at: at(0)), goAway.begin(at: at(1))]
        #expect(!before)
        #expect(begins == [true, false])
        var unanswered = goAway
        let answered = [goAway.pingAnswered(), goAway.pingAnswered(), goAway.step(at: at(100))]
        #expect(answered == [true, false, false])
        let late = [unanswered.step(at: at(19)), unanswered.step(at: at(20)), unanswered.pingAnswered()]
        #expect(late == [false, true, false])
    }

    @Test func outputThatMakesNoProgressIsStalled() throws {
        var output = try #require(OutputStall(timeout: .seconds(30)))
        var results: [Bool] = []
        for (second, sent, pending) in [
            (0, 0, 0), (10, 0, 500), (39, 0, 900), (40, 1, 900), (69, 1, 900), (70, 1, 900),
        ] {
            results.append(output.isStalled(at: at(Int64(second)), sent: sent, pending: pending))
        }
        #expect(results == [false, false, false, false, false, true])
        #expect(OutputStall(timeout: nil) == nil)
    }

    @Test func aMessageMustGoOn() throws {
        var pace = try #require(Pace(rate: 1024, over: .seconds(10)))
        var results: [Bool] = []
        for (second, received) in [(0, nil), (5, 100), (14, 100), (15, 10_340), (24, 10_340), (25, 20_579)]
            as [(Int64, Int?)]
        {
            results.append(pace.isTooSlow(at: at(second), moved: received))
        }
        #expect(results == [false, false, false, false, false, true])
        var idle = try #require(Pace(rate: 1024, over: .seconds(10)))
        let looks = [
            idle.isTooSlow(at: at(0), moved: 5), idle.isTooSlow(at: at(9), moved: nil),
            idle.isTooSlow(at: at(60), moved: 5),
        ]
        #expect(!looks.contains(true))
    }

    @Test func aByteNowAndThenIsNotEnough() throws {
        var pace = try #require(Pace(rate: 1024, over: .seconds(120)))
        let looks = (0...4).map { pace.isTooSlow(at: at(Int64($0) * 60), moved: $0) }
        #expect(looks == [false, false, true, false, true])
        #expect(Pace(rate: nil, over: .seconds(1)) == nil)
        #expect(Pace(rate: 1, over: nil) == nil)
    }

    @Test func aMessageThatHoldsMuchMemoryMustComeFaster() throws {
        for (moved, isTooSlow) in [(99_999, true), (100_000, false)] {
            var pace = try #require(Pace(rate: 1024, over: .seconds(10)))
            _ = pace.isTooSlow(at: at(0), moved: 0, least: 100_000)
            let result = pace.isTooSlow(at: at(10), moved: moved, least: 100_000)
            #expect(result == isTooSlow)
        }
    }

    @Test func aConnectionLooksAFewTimesWithinItsShortestLimit() {
        #expect(WatchInterval.of([.seconds(10), nil, .seconds(30)]) == .milliseconds(2500))
        #expect(WatchInterval.of([nil, nil]) == .seconds(60))
        #expect(WatchInterval.of([.zero]) == .milliseconds(5))
    }
}
