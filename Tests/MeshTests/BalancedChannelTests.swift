import NIOCore
import RPC
import Testing

@testable import Mesh

/// A channel and its nodes, over real sockets.
@Suite struct BalancedChannelTests {
    @Test(.timeLimit(.minutes(5))) func everyNodeGetsCalls() async throws {
        try await TestNode.with { nodes async throws in
            let a = try await nodes.start { _ in "a" }
            let b = try await nodes.start { _ in "b" }
            try await BalancedChannel.with([a, b]) { channel async throws in
                var asked = 0
                while a.calls == 0 || b.calls == 0 {
                    _ = try await channel.ask()
                    asked += 1
                }
                #expect(a.calls + b.calls == asked)
                #expect(channel.endpoints().map(\.calls).reduce(0, +) == UInt64(asked))
            }
        }
    }

    // ---- a node dies ----

    @Test func theCallOfAKilledNodeGoesElsewhere() async throws {
        try await TestNode.with { nodes async throws in
            // Whoever is asked first never answers; the other one does.
            let first = Gate()
            let turn = TestNode.Counter()
            let body: @Sendable (CallContext) async throws -> String = { _ in
                turn.add()
                guard turn.count == 1 else { return "elsewhere" }
                first.open()
                try await Gate().wait()
                return "never"
            }
            let both = [try await nodes.start(body), try await nodes.start(body)]
            try await BalancedChannel.with(both) { channel async throws in
                async let answer = channel.ask()
                try await first.wait()
                let asked = try #require(both.first { $0.calls == 1 })
                await asked.kill()
                let (text, retries) = try await answer
                #expect(text == "elsewhere")
                #expect(retries == 1)
                // And no later call goes there.
                for _ in 0..<20 { #expect(try await channel.ask().answer == "elsewhere") }
                #expect(asked.calls == 1)
                try await channel.until { $0.contains { $0.name == asked.name && $0.state == .connecting } }
            }
        }
    }

    @Test func theCallOfAHungNodeGoesElsewhereWithinItsDeadline() async throws {
        try await TestNode.with { nodes async throws in
            let turn = TestNode.Counter()
            let body: @Sendable (CallContext) async throws -> String = { _ in
                turn.add()
                guard turn.count == 1 else { return "elsewhere" }
                try await Gate().wait()
                return "never"
            }
            let both = [try await nodes.start(body), try await nodes.start(body)]
            try await BalancedChannel.with(both) { channel async throws in
                let (text, retries) = try await channel.ask(deadline: .after(.seconds(6)))
                #expect(text == "elsewhere")
                #expect(retries == 1)
                #expect(both.map(\.calls) == [1, 1])
                #expect(channel.endpoints().map(\.failures).reduce(0, +) == 1)
            }
        }
    }

    @Test func aLateAnswerToAnImpatientCallIsNobodysFailure() async throws {
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start { _ in
                try await Gate().wait()
                return "never"
            }
            try await BalancedChannel.with([node]) { channel async throws in
                for _ in 0..<4 {
                    let error = await #expect(throws: RPCError.self) {
                        try await channel.ask(deadline: .after(.milliseconds(20)))
                    }
                    #expect(error?.code == .deadlineExceeded)
                }
                #expect(channel.endpoints().map(\.failures) == [0])
            }
        }
    }

    @Test(arguments: [(20, 0), (999, 0), (1000, 1)])
    func aDeadlineThatWasSeenLateIsBlamedByTheTimeThatWasGiven(_ given: Int, _ failures: UInt64) async throws {
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start { _ in "never asked" }
            try await BalancedChannel.with([node]) { channel async throws in
                try await channel.until { $0.map(\.state) == [.ready] }
                var attempt = try await channel.next(NextAttempt(path: "/a/b", options: CallOptions()))
                // As if this host had not run for a minute.
                let start = NIODeadline.uptimeNanoseconds(attempt.start) - .seconds(60)
                attempt.start = start.uptimeNanoseconds
                attempt.deadline = Deadline(instant: start + .milliseconds(Int64(given)))
                channel.finished(attempt, .failed(RPCError(.deadlineExceeded, "deadline exceeded")))
                #expect(channel.endpoints().map(\.failures) == [failures])
            }
        }
    }

    @Test func aNodeThatComesBackGetsCallsAgain() async throws {
        try await TestNode.with { nodes async throws in
            let first = try await nodes.start { _ in "before" }
            try await BalancedChannel.with([first]) { channel async throws in
                #expect(try await channel.ask().answer == "before")
                await first.kill()
                _ = try await nodes.start(port: first.address.port ?? 0) { _ in "after" }
                #expect(try await channel.ask().answer == "after")
            }
        }
    }

    @Test func withAllNodesDownTheErrorNamesWhatWasTried() async throws {
        let script = Script()
        script.set([
            try SocketAddress(ipAddress: "127.0.0.1", port: 1), try SocketAddress(ipAddress: "127.0.0.1", port: 2),
        ])
        try await BalancedChannel.with(script, configure: { $0.readyTimeout = .milliseconds(300) }) {
            channel async throws in
            try await channel.until {
                $0.count == 2 && $0.allSatisfy { $0.reason?.contains("cannot connect") == true }
            }
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.code == .unavailable)
            #expect(error?.neverStarted == true)
            #expect(error?.message.contains("srv:///nodes.test") == true)
            #expect(error?.message.contains("127.0.0.1:1: cannot connect") == true)
            #expect(error?.message.contains("127.0.0.1:2: cannot connect") == true)
            #expect(error?.message.contains("\n") == false)
        }
    }

    @Test func withoutAnAddressTheErrorSaysWhy() async throws {
        let script = Script()
        script.set(nil)
        try await BalancedChannel.with(script, configure: { $0.readyTimeout = .seconds(10) }) {
            channel async throws in
            let error = await #expect(throws: RPCError.self) { try await channel.ask() }
            #expect(error?.message.contains("cannot resolve 'nodes.test'") == true)
        }
    }

    @Test func aCallWaitsForTheFirstNodeToCome() async throws {
        try await TestNode.with { nodes async throws in
            let script = Script()
            try await BalancedChannel.with(script) { channel async throws in
                async let answer = channel.ask()
                let node = try await nodes.start { _ in "late" }
                script.set([node.address])
                #expect(try await answer.answer == "late")
            }
        }
    }

    // ---- health ----

    @Test func aNodeThatIsNotServingGetsNoCalls() async throws {
        try await TestNode.with { nodes async throws in
            let a = try await nodes.start { _ in "a" }
            let b = try await nodes.start { _ in "b" }
            try await BalancedChannel.with([a, b]) { channel async throws in
                a.health.set(.notServing)
                try await channel.until { $0.contains { $0.name == a.name && $0.state == .unhealthy } }
                let before = a.calls
                for _ in 0..<30 { #expect(try await channel.ask().answer == "b") }
                #expect(a.calls == before)
                #expect(channel.endpoints().first { $0.name == a.name }?.reason == "health is notServing")
                a.health.set(.serving)
                try await channel.until { $0.allSatisfy { $0.state == .ready } }
                while a.calls == before { _ = try await channel.ask() }
            }
        }
    }

    @Test func aNodeWithoutAHealthServiceIsReadyOnceConnected() async throws {
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start(hasHealth: false) { _ in "plain" }
            try await BalancedChannel.with([node]) { channel async throws in
                #expect(try await channel.ask().answer == "plain")
                await node.kill()
                try await channel.until { $0.allSatisfy { $0.state != .ready } }
            }
        }
    }

    // ---- drain ----

    /// Were it cut by its drain timeout, the test would run out of time.
    @Test(.timeLimit(.minutes(5))) func whatRunsOnADrainingNodeIsFinishedThere() async throws {
        try await TestNode.with { nodes async throws in
            let started = Gate()
            let release = Gate()
            let turn = TestNode.Counter()
            let body: @Sendable (CallContext) async throws -> String = { _ in
                turn.add()
                guard turn.count == 1 else { return "new" }
                started.open()
                try await release.wait()
                return "finished"
            }
            let both = [
                try await nodes.start(drainTimeout: .seconds(300), body),
                try await nodes.start(drainTimeout: .seconds(300), body),
            ]
            try await BalancedChannel.with(both) { channel async throws in
                async let held = channel.ask()
                try await started.wait()
                let asked = try #require(both.first { $0.calls == 1 })
                asked.drain()
                try await channel.until { $0.contains { $0.name == asked.name && $0.state != .ready } }
                for _ in 0..<20 { #expect(try await channel.ask().answer == "new") }
                #expect(asked.calls == 1)
                release.open()
                let (text, retries) = try await held
                #expect(text == "finished")
                #expect(retries == 0)
                // Nothing keeps it, health watches neither.
                try await asked.ended()
            }
        }
    }

    @Test func aVanishedEndpointDrains() async throws {
        try await TestNode.with { nodes async throws in
            let started = Gate()
            let release = Gate()
            let a = try await nodes.start { _ in
                started.open()
                try await release.wait()
                return "finished"
            }
            let b = try await nodes.start { _ in "b" }
            let script = Script()
            script.set([a.address])
            try await BalancedChannel.with(script) { channel async throws in
                async let held = channel.ask()
                try await started.wait()
                script.set([b.address])
                try await channel.until { $0.map(\.name) == [b.name] && $0.allSatisfy { $0.state == .ready } }
                for _ in 0..<10 { #expect(try await channel.ask().answer == "b") }
                release.open()
                let (text, retries) = try await held
                #expect(text == "finished")
                #expect(retries == 0)
            }
        }
    }

    @Test func anEndpointThatVanishesAndComesBackIsReady() async throws {
        try await TestNode.with { nodes async throws in
            let a = try await nodes.start { _ in "a" }
            let b = try await nodes.start { _ in "b" }
            let script = Script()
            script.set([a.address, b.address])
            try await BalancedChannel.with(script) { channel async throws in
                for _ in 0..<5 {
                    try await channel.until { $0.count == 2 && $0.allSatisfy { $0.state == .ready } }
                    script.set([b.address])
                    try await channel.until { $0.count == 1 }
                    script.set([a.address, b.address])
                }
                try await channel.until { $0.count == 2 && $0.allSatisfy { $0.state == .ready } }
                // And stays so, whatever the drained connections report.
                for _ in 0..<50 { _ = try await channel.ask() }
                #expect(channel.endpoints().allSatisfy { $0.state == .ready })
            }
        }
    }

    @Test func aDeadNameServerTakesNothingDown() async throws {
        try await TestNode.with { nodes async throws in
            let a = try await nodes.start { _ in "a" }
            let script = Script()
            script.set([a.address])
            try await BalancedChannel.with(script) { channel async throws in
                try await channel.until { $0.allSatisfy { $0.state == .ready } && $0.count == 1 }
                for answer in [nil, []] as [[SocketAddress]?] {
                    script.set(answer)
                    try await Task.sleep(for: .milliseconds(60))
                    #expect(try await channel.ask().answer == "a")
                }
            }
        }
    }

    // ---- refusals ----

    @Test func aFullNodeIsPassedOver() async throws {
        try await TestNode.with { nodes async throws in
            let full = try await nodes.start { _ in throw RPCError(.resourceExhausted, "queue is full") }
            let free = try await nodes.start { _ in "free" }
            try await BalancedChannel.with([full, free]) { channel async throws in
                for _ in 0..<20 { #expect(try await channel.ask().answer == "free") }
                #expect(channel.endpoints().allSatisfy { $0.state == .ready })
            }
        }
    }

    @Test func whenAllAreFullEachIsAskedOnce() async throws {
        try await TestNode.with { nodes async throws in
            let body: @Sendable (CallContext) async throws -> String = { _ in
                throw RPCError(.resourceExhausted, "queue is full")
            }
            let a = try await nodes.start(body)
            let b = try await nodes.start(body)
            try await BalancedChannel.with([a, b]) { channel async throws in
                let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(error?.code == .resourceExhausted)
                #expect(error?.message == "queue is full")
                #expect((a.calls, b.calls) == (1, 1))
            }
        }
    }

    @Test func aRequestThatIsWrongIsNotTriedAgain() async throws {
        try await TestNode.with { nodes async throws in
            let body: @Sendable (CallContext) async throws -> String = { _ in throw RPCError(.invalidArgument, "bad") }
            let a = try await nodes.start(body)
            let b = try await nodes.start(body)
            try await BalancedChannel.with([a, b]) { channel async throws in
                let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(error?.code == .invalidArgument)
                #expect(a.calls + b.calls == 1)
                #expect(channel.endpoints().allSatisfy { $0.failures == 0 })
            }
        }
    }

    @Test func attemptsAreBounded() async throws {
        try await TestNode.with { nodes async throws in
            let a = try await nodes.start { _ in throw RPCError(.unavailable, "not now") }
            try await BalancedChannel.with([a], configure: { $0.maxAttempts = 3 }) { channel async throws in
                let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(error?.message == "not now")
                #expect(a.calls == 3)
            }
        }
    }

    @Test(arguments: [StatusCode.unavailable, .internal, .resourceExhausted], [false, true])
    func nodesThatFailEverythingAreAskedHardlyMoreThanOncePerCall(_ code: StatusCode, isLastHop: Bool) async throws {
        try await TestNode.with { nodes async throws in
            let body: @Sendable (CallContext) async throws -> String = { _ in throw RPCError(code, "not now") }
            let three = [try await nodes.start(body), try await nodes.start(body), try await nodes.start(body)]
            // Those of the first seconds, while there is a budget.
            let (first, calls) = (300, 300)
            func configure(_ configuration: inout ChannelConfiguration) {
                configuration.retryTokens = 20
                configuration.isLastHop = isLastHop
            }
            try await BalancedChannel.with(three, configure: configure) { channel async throws in
                for _ in 0..<first { await #expect(throws: RPCError.self) { try await channel.ask() } }
                let before = three.map(\.calls).reduce(0, +)
                for _ in 0..<calls { await #expect(throws: RPCError.self) { try await channel.ask() } }
                #expect(Double(three.map(\.calls).reduce(0, +) - before) <= Double(calls) * 1.1)
            }
        }
    }

    @Test func nodesThatAreGoneCostNoAttempts() async throws {
        try await TestNode.with { nodes async throws in
            let both = [try await nodes.start(), try await nodes.start()]
            func configure(_ configuration: inout ChannelConfiguration) {
                configuration.isLastHop = true
                configuration.readyTimeout = .milliseconds(1)
            }
            try await BalancedChannel.with(both, configure: configure) { channel async throws in
                for node in both { await node.kill() }
                try await channel.until { $0.allSatisfy { $0.state != .ready } }
                let before = channel.endpoints().map(\.calls).reduce(0, +)
                for _ in 0..<100 {
                    let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                    #expect(error?.code == .unavailable)
                    #expect(error?.retries == 0)
                }
                #expect(channel.endpoints().map(\.calls).reduce(0, +) == before)
            }
        }
    }
}
