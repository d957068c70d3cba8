import NIOCore
import RPC
import Testing

@testable import Mesh

/// A channel and its nodes, over real sockets.
@Suite struct BalancedChannelTests {
    @Test func everyNodeGetsCalls() async throws {
        try await TestNode.with { nodes async throws in
            let a = try await nodes.start { _ in "a" }
            let b = try await nodes.start { _ in "b" }
            try await BalancedChannel.with([a, b]) { channel async throws in
                for _ in 0..<60 { _ = try await channel.ask() }
                #expect(a.calls > 0 && b.calls > 0)
                #expect(a.calls + b.calls == 60)
                #expect(channel.endpoints().map(\.calls).reduce(0, +) == 60)
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
            #expect(error?.message.contains("dns:///nodes.test:1") == true)
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

    @Test func nodesThatFailEverythingAreAskedHardlyMoreThanOncePerCall() async throws {
        try await TestNode.with { nodes async throws in
            let body: @Sendable (CallContext) async throws -> String = { _ in throw RPCError(.unavailable, "not now") }
            let both = [try await nodes.start(body), try await nodes.start(body)]
            let calls = 300
            try await BalancedChannel.with(both, configure: { $0.retryTokens = 20 }) { channel async throws in
                for _ in 0..<calls { await #expect(throws: RPCError.self) { try await channel.ask() } }
                #expect(Double(both.map(\.calls).reduce(0, +)) <= Double(calls) * 1.1)
            }
        }
    }

    // ---- those that wait ----

    @Test func waitingCallsAreBoundedAndCanBeCancelled() async throws {
        try await BalancedChannel.with(Script(), configure: { $0.maxWaitingCalls = 2 }) { channel async throws in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<2 {
                    tasks.addTask {
                        let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                        #expect(error?.code == .cancelled)
                    }
                }
                while channel.waitingCalls < 2 { try? await Task.sleep(for: .milliseconds(1)) }
                let error = await #expect(throws: RPCError.self) { try await channel.ask() }
                #expect(error?.code == .resourceExhausted)
                #expect(error?.message == "2 calls wait for dns:///nodes.test:1, limit 2")
                tasks.cancelAll()
                try await tasks.waitForAll()
            }
            #expect(channel.waitingCalls == 0)
        }
    }

    @Test func aDeadlineEndsTheWait() async throws {
        try await BalancedChannel.with(Script()) { channel async throws in
            let error = await #expect(throws: RPCError.self) {
                try await channel.ask(deadline: .after(.milliseconds(50)))
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(error?.message.contains("no endpoint of dns:///nodes.test:1 is ready") == true)
        }
    }

    @Test func patienceEndsTheWaitOfACallThatDoesNotWaitForReady() async throws {
        try await BalancedChannel.with(Script(), configure: { $0.readyTimeout = .milliseconds(50) }) {
            channel async throws in
            let error = await #expect(throws: RPCError.self) { try await channel.ask(deadline: nil) }
            #expect(error?.code == .unavailable)
            #expect(error?.neverStarted == true)
        }
    }

    @Test(.timeLimit(.minutes(3)), arguments: [false, true])
    func theEndOfAChannelEndsTheWait(_ closes: Bool) async throws {
        try await BalancedChannel.with(Script()) { channel async throws in
            let patient = CallOptions.patient
            async let call = failure {
                _ = try await channel.call("/test.Node/Ask", Payload(ByteBuffer()), options: patient)
            }
            async let stream = failure { _ = try await channel.open("/test.Node/Chat", options: patient) }
            async let starter = failure { try await channel.waitUntilReady(timeout: .seconds(1000)) }
            while channel.waitingCalls < 3 { try await Task.sleep(for: .milliseconds(1)) }
            if closes { channel.close() } else { channel.drain() }
            for error in await [call, stream, starter] {
                #expect(error?.code == .unavailable)
                #expect(error?.message == "the channel was drained")
            }
            #expect(channel.waitingCalls == 0)
        }
    }

    // ---- streams ----

    private func open(_ channel: BalancedChannel, _ method: String) async throws -> ClientCall {
        try await channel.open("/test.Node/\(method)", options: .init(deadline: .after(.seconds(100))))
    }

    @Test func streamsThatFailAtTheirBeginningAreTheirNodesFailures() async throws {
        try await TestNode.with { nodes async throws in
            let bad = try await nodes.start { _ in throw RPCError(.unavailable, "not now") }
            let good = try await nodes.start { _ in "good" }
            try await BalancedChannel.with([bad, good]) { channel async throws in
                for _ in 0..<100 {
                    let call = try await open(channel, "Watch")
                    var responses = call.responses.makeAsyncIterator()
                    #expect(try await responses.next()?.message == ByteBuffer(string: "good"))
                    #expect(try await responses.next() == nil)
                }
                #expect((1...20).contains(bad.calls))
                let state = try #require(channel.endpoints().first { $0.name == bad.name })
                #expect(state.failures == UInt64(bad.calls))
                #expect(channel.endpoints().map(\.outstanding) == [0, 0])
            }
        }
    }

    @Test func openStreamsAreSpreadAndCounted() async throws {
        try await TestNode.with { nodes async throws in
            let both = [try await nodes.start(), try await nodes.start()]
            try await BalancedChannel.with(both) { channel async throws in
                var calls: [ClientCall] = []
                for _ in 0..<10 {
                    let call = try await open(channel, "Chat")
                    try await call.send(Payload(ByteBuffer(string: "x")))
                    var responses = call.responses.makeAsyncIterator()
                    #expect(try await responses.next() != nil)
                    calls.append(call)
                }
                #expect(channel.endpoints().map(\.outstanding) == [5, 5])
                for call in calls {
                    call.finishSending()
                    for try await _ in call.responses {}
                }
                #expect(channel.endpoints().map(\.outstanding) == [0, 0])
            }
        }
    }

    @Test func aStreamStaysOnItsNode() async throws {
        try await TestNode.with { nodes async throws in
            let a = try await nodes.start()
            try await BalancedChannel.with([a]) { channel async throws in
                let call = try await channel.open("/test.Node/Chat", options: .init(deadline: .after(.seconds(20))))
                var responses = call.responses.makeAsyncIterator()
                for index in 0..<10 {
                    try await call.send(Payload(ByteBuffer(string: "\(index)")))
                    #expect(try await responses.next()?.message == ByteBuffer(string: "\(index)"))
                }
                call.finishSending()
                #expect(try await responses.next() == nil)
                #expect(channel.endpoints().map(\.outstanding) == [0])
            }
        }
    }

    // ---- memory ----

    private func fill(_ bytes: Int) -> Payload { Payload(ByteBuffer(integer: bytes)) }

    /// As a coordinator does it: a server that holds its requests until a node has answered.
    private struct Front: RPCService {
        let channel: BalancedChannel
        let request: Payload
        var serviceName: String { "test.Front" }
        var methods: [String: RPCHandler] {
            [
                "Ask": .unary { context, held in
                    let answer = try await channel.call(
                        "/test.Node/Fill", request, options: .init(deadline: context.deadline))
                    return withExtendedLifetime(held) {
                        UnaryResponse(
                            Payload(ByteBuffer(integer: answer.response.payload.message.readableBytes)))
                    }
                }
            ]
        }
    }

    @Test func answersDoNotWaitForTheMemoryOfRequests() async throws {
        // Room for one request, and for no answer beside it.
        let budget = MemoryBudget(limit: 60_000)
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start()
            try await BalancedChannel.with([node]) { channel async throws in
                let server = try await RPCServer.bind(
                    host: "127.0.0.1", port: 0, services: [Front(channel: channel, request: fill(50_000))],
                    budget: budget, group: TestNode.group, logger: TestNode.logger)
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    tasks.addTask { try await server.run() }
                    try await ask(server, times: 8)
                    tasks.cancelAll()
                }
            }
        }
        #expect(budget.used == 0)
    }

    private func ask(_ server: RPCServer, times: Int) async throws {
        var patient = ClientConfiguration()
        patient.connectTimeout = .seconds(30)
        let connection = try await RPCConnection.connect(
            to: server.address, configuration: patient, group: TestNode.group, logger: TestNode.logger)
        defer { connection.close() }
        try await withThrowingTaskGroup(of: Int?.self) { tasks in
            for _ in 0..<times {
                tasks.addTask {
                    let request = Payload(ByteBuffer(repeating: 0, count: 50_000))
                    let answer = try await connection.unary(
                        "/test.Front/Ask", request, options: .init(deadline: .after(.seconds(60))))
                    return answer.payload.message.getInteger(at: 0, as: Int.self)
                }
            }
            for try await bytes in tasks { #expect(bytes == 50_000) }
        }
    }

    @Test func aChannelHasMemoryOfItsOwn() async throws {
        try await TestNode.with { nodes async throws in
            let node = try await nodes.start()
            try await BalancedChannel.with([node]) { channel async throws in
                #expect(channel.budget !== MemoryBudget.shared)
                let response = try await channel.call("/test.Node/Fill", fill(50_000))
                #expect(channel.budget.used == 50_000)
                withExtendedLifetime(response) {}
            }
        }
    }
}
