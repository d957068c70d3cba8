import NIOCore
import RPC
import Synchronization
import TestSupport
import Testing

@testable import Mesh

/// What a channel does for calls to endpoints that do the work themselves.
@Suite(.timeLimit(.minutes(5))) struct LastHopTests {
    private static func lastHop(_ configuration: inout ChannelConfiguration) { configuration.isLastHop = true }

    // ---- faults ----

    @Test(arguments: [StatusCode.internal, .unknown, .dataLoss])
    func whatOneNodeFailsAtAnotherIsAskedFor(_ code: StatusCode) async throws {
        try await TestNode.with { nodes async throws in
            let ill = try await nodes.start { _ in throw RPCError(code, "broken") }
            let well = try await nodes.start { _ in "well" }
            try await BalancedChannel.with([ill, well], configure: Self.lastHop) { channel async throws in
                for _ in 0..<40 { #expect(try await channel.ask().answer == "well") }
                #expect(ill.calls >= 1)
                #expect(well.calls == 40)
            }
        }
    }

    @Test func eachNodeIsAskedOnceForWhatAllFailAt() async throws {
        try await TestNode.with { nodes async throws in
            let body: @Sendable (CallContext) async throws -> String = { _ in throw RPCError(.internal, "broken") }
            let three = [try await nodes.start(body), try await nodes.start(body), try await nodes.start(body)]
            try await BalancedChannel.with(three, configure: Self.lastHop) { channel async throws in
                let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(error?.code == .internal)
                #expect(error?.message == "broken")
                #expect(error?.retries == 2)
                #expect(three.map(\.calls) == [1, 1, 1])
            }
        }
    }

    @Test func withOneNodeItsFaultIsTheAnswerAtOnce() async throws {
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start { _ in throw RPCError(.internal, "broken") }
            try await BalancedChannel.with([node], configure: Self.lastHop) { channel async throws in
                await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(node.calls == 1)
            }
        }
    }

    @Test func anOuterHopAsksNobodyElse() async throws {
        try await TestNode.with { nodes async throws in
            let body: @Sendable (CallContext) async throws -> String = { _ in throw RPCError(.internal, "broken") }
            let both = [try await nodes.start(body), try await nodes.start(body)]
            try await BalancedChannel.with(both) { channel async throws in
                await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(both.map(\.calls).reduce(0, +) == 1)
            }
        }
    }

    // ---- times ----

    @Test func eachAttemptTellsWhenItsCallIsDue() async throws {
        let seen = Mutex<[(attempt: Deadline?, call: Deadline?)]>([])
        try await TestNode.with { nodes async throws in
            let body: @Sendable (CallContext) async throws -> String = { context in
                let isFirst = seen.withLock { seen in
                    seen.append((context.deadline, context.callDeadline))
                    return seen.count == 1
                }
                if isFirst { throw RPCError(.resourceExhausted, "full") }
                return "well"
            }
            let both = [try await nodes.start(body), try await nodes.start(body)]
            try await BalancedChannel.with(both, configure: Self.lastHop) { channel async throws in
                try await channel.until { $0.count == 2 && $0.allSatisfy { $0.state == .ready } }
                #expect(try await channel.ask(deadline: .after(.seconds(10_000))).retries == 1)
            }
        }
        let attempts = seen.withLock { $0 }
        try #require(attempts.count == 2)
        let left = attempts.map { ($0.attempt?.remaining ?? .zero, $0.call?.remaining ?? .zero) }
        // Half of its time was for the first one, while there was a second.
        #expect(left[0].0 < .seconds(5001) && left[1].0 > .seconds(9000), "\(left)")
        #expect(left.allSatisfy { $0.1 > .seconds(9000) && $0.1 <= .seconds(10_001) }, "\(left)")
        #expect(attempts[1].attempt == attempts[1].call)
    }

    // ---- hedges ----

    @Test func aNodeThatFallsSilentCostsItsCallsLittleMoreThanAnAnswer() async throws {
        try await TestNode.with { nodes async throws in
            let near = try await nodes.start { _ in "near" }
            let far = try await nodes.start { _ in "far" }
            try await SilentHost.with(before: far.address) { host async throws in
                let script = Script()
                script.set([near.address, try host.address])
                func configure(_ configuration: inout ChannelConfiguration) {
                    Self.lastHop(&configuration)
                    configuration.hedging.samples = 10
                    configuration.hedging.burst = 1000
                }
                try await BalancedChannel.with(script, configure: configure) { channel async throws in
                    try await channel.until { $0.count == 2 && $0.allSatisfy { $0.state == .ready } }
                    var answers: Set<String> = []
                    while answers.count < 2 || near.calls + far.calls < 50 {
                        answers.insert(try await channel.ask().answer)
                    }
                    host.fallSilent()
                    // Both are asked, whatever was learnt so far.
                    let calls = 16
                    let all = try await withThrowingTaskGroup(of: (String, Duration).self) { tasks in
                        for _ in 0..<calls {
                            tasks.addTask {
                                let start = ContinuousClock.now
                                let answer = try await channel.ask(deadline: .after(.seconds(100))).answer
                                return (answer, ContinuousClock.now - start)
                            }
                        }
                        return try await tasks.reduce(into: []) { $0.append($1) }
                    }
                    #expect(all.map(\.0) == Array(repeating: "near", count: calls))
                    // Without a hedge half of the deadline.
                    #expect(all.allSatisfy { $0.1 < .seconds(40) })
                    let silent = channel.endpoints().first { $0.name != near.name }
                    #expect(silent?.outstanding == 0)
                    #expect((silent?.latency ?? .zero) >= .milliseconds(20))
                }
            }
        }
    }

    /// Nothing is known yet of how long answers take, and no deadline ends the wait: the calls on a node are hedged once it
    /// does not answer its probe, and not before, however long they take.
    @Test func aNodeThatFallsSilentIsNotWaitedForBeforeTheUsualTimeIsKnown() async throws {
        try await TestNode.with { nodes async throws in
            let near = try await nodes.start { _ in "near" }
            let far = try await nodes.start { _ in
                try await Task.sleep(for: .seconds(10_000))
                return "far"
            }
            try await SilentHost.with(before: far.address) { host async throws in
                let script = Script()
                script.set([near.address, try host.address])
                func configure(_ configuration: inout ChannelConfiguration) {
                    Self.lastHop(&configuration)
                    configuration.client.keepalive.time = nil
                    configuration.probeInterval = .milliseconds(100)
                    configuration.probe = EndpointProbe { channel, deadline in
                        _ = try await channel.unary(
                            "/test.Node/Fill", Payload(ByteBuffer()), options: .init(deadline: deadline))
                        return EndpointReport(capacity: 4)
                    }
                }
                try await BalancedChannel.with(script, configure: configure) { channel async throws in
                    try await channel.until { $0.count == 2 && $0.allSatisfy { $0.state == .ready } }
                    let answers = try await withThrowingTaskGroup(of: String.self) { tasks in
                        var calls = 0
                        while far.calls == 0 {
                            tasks.addTask { try await channel.ask(deadline: nil).answer }
                            calls += 1
                            while near.calls + far.calls < calls { try await Task.sleep(for: .milliseconds(1)) }
                        }
                        // It answers its probe, so it is busy.
                        try await Task.sleep(for: .milliseconds(500))
                        #expect(near.calls + far.calls == calls)
                        host.fallSilent()
                        let answers = try await tasks.reduce(into: []) { $0.append($1) }
                        #expect(near.calls == calls && far.calls == 1)
                        return answers
                    }
                    #expect(answers.allSatisfy { $0 == "near" })
                }
            }
        }
    }

    @Test func theCancellationOfAnOvertakenAttemptReachesItsNode() async throws {
        try await TestNode.with { nodes async throws in
            let hangs = Atomic(false)
            let cancelled = Gate()
            let slow = try await nodes.start { _ in
                guard hangs.load(ordering: .relaxed) else { return "slow" }
                do { try await Task.sleep(for: .seconds(10_000)) } catch {
                    cancelled.open()
                    throw error
                }
                return "never"
            }
            let fast = try await nodes.start { _ in "fast" }
            func configure(_ configuration: inout ChannelConfiguration) {
                Self.lastHop(&configuration)
                configuration.hedging.samples = 10
            }
            try await BalancedChannel.with([slow, fast], configure: configure) { channel async throws in
                while slow.calls < 5 || slow.calls + fast.calls < 50 { _ = try await channel.ask() }
                hangs.store(true, ordering: .relaxed)
                let before = slow.calls
                while slow.calls == before { #expect(try await channel.ask().answer == "fast") }
                try await cancelled.wait()
            }
        }
    }

    // ---- what nodes die of ----

    @Test func aCallThatNodesDieOfCostsTwoOfThemAndNothingElse() async throws {
        try await TestNode.with { nodes async throws in
            let mortal = Mortal()
            let release = Gate()
            var three: [TestNode] = []
            for index in 0..<3 {
                three.append(
                    try await nodes.start { context in
                        if context.metadata["x-deadly"] != nil {
                            mortal.kill(index)
                            try await Task.sleep(for: .seconds(10_000))
                        }
                        // So that there are others wherever it comes.
                        if context.metadata["grpc-previous-rpc-attempts"] == nil { try await release.wait() }
                        return "fine"
                    })
            }
            mortal.nodes.withLock { $0 = three }
            try await BalancedChannel.with(three, configure: Self.lastHop) { channel async throws in
                try await withThrowingTaskGroup(of: String.self) { tasks in
                    for _ in 0..<30 { tasks.addTask { try await channel.ask().answer } }
                    while three.map(\.calls).reduce(0, +) < 30 { try await Task.sleep(for: .milliseconds(1)) }
                    let deadly = CallOptions(
                        metadata: ["x-deadly": "yes"], deadline: .after(.seconds(60)))
                    let error = await #expect(throws: RPCError.self) {
                        try await channel.call("/test.Node/Ask", Payload(ByteBuffer()), options: deadly)
                    }
                    #expect(error?.code == .internal)
                    #expect(error?.message.contains("two endpoints were lost while they ran this call") == true)
                    #expect(error?.isSuspect == true)
                    release.open()
                    var answers = 0
                    for try await answer in tasks {
                        #expect(answer == "fine")
                        answers += 1
                    }
                    #expect(answers == 30)
                    #expect(mortal.deaths == 2)
                }
            }
        }
    }

    /// Nodes that can be ended from within.
    private final class Mortal: Sendable {
        let nodes = Mutex<[TestNode]>([])
        private let dead = Mutex<[Int]>([])
        var deaths: Int { dead.withLock { $0.count } }

        func kill(_ index: Int) {
            dead.withLock { $0.append(index) }
            nodes.withLock { $0[index] }.die()
        }
    }
}
