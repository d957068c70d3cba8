import HTTP2
import NIOCore
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct FlowControlTests {
    /// Far more than all windows and buffers between the two ends hold.
    static let count = 400
    static let size = 100_000

    @Test func aSlowServerHoldsTheClientBack() async throws {
        let go = Signal()
        let sent = Counter()
        try await Loopback.with([
            "Sum": .stream { _, requests, responses in
                await go.wait()
                var total = 0
                for try await request in requests { total += request.message.readableBytes }
                try await responses.write(Payload("\(total)"))
            }
        ]) { loopback in
            let call = try await loopback.connection.open(loopback.path("Sum"))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for _ in 0..<Self.count {
                        try await call.send(Payload(ByteBuffer(repeating: 7, count: Self.size)))
                        sent.add()
                    }
                    call.finishSending()
                }
                // It got some way, and then no further, however long we look.
                tasks.addTask {
                    try await waitUntilStill { sent.value }
                    #expect(sent.value < 30)
                    go.fire()
                }
                #expect(try await collect(call.responses) == ["\(Self.count * Self.size)"])
                try await tasks.waitForAll()
            }
            #expect(sent.value == Self.count)
        }
    }

    @Test func aSlowClientHoldsTheServerBack() async throws {
        let written = Counter()
        let budget = MemoryBudget(limit: 256 << 20)
        try await Loopback.with(
            [
                "Flood": .stream { _, _, responses in
                    for _ in 0..<Self.count {
                        try await responses.write(Payload(ByteBuffer(repeating: 7, count: Self.size)))
                        written.add()
                    }
                }
            ], clientBudget: budget
        ) { loopback in
            let call = try await loopback.connection.open(loopback.path("Flood"))
            call.finishSending()
            try await waitUntilStill { written.value }
            #expect(written.value < 30)
            #expect(budget.used <= 1 << 20)
            var received = 0
            for try await payload in call.responses { received += payload.message.readableBytes }
            #expect(received == Self.count * Self.size)
            #expect(budget.used == 0)
        }
    }

    @Test func aHeldStreamDoesNotHoldTheOthers() async throws {
        let go = Signal()
        try await Loopback.with([
            "Stuck": .stream { _, requests, _ in
                await go.wait()
                _ = try await collect(requests)
            },
            "Echo": .unary { _, payload in UnaryResponse(payload) },
        ]) { loopback in
            let call = try await loopback.connection.open(loopback.path("Stuck"))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for _ in 0..<50 { try await call.send(Payload(ByteBuffer(repeating: 7, count: Self.size))) }
                    call.finishSending()
                }
                let big = String(repeating: "x", count: 1_000_000)
                for _ in 0..<20 { try await loopback.expect(big, from: "Echo", big) }
                go.fire()
                try await tasks.waitForAll()
            }
        }
    }

    @Test func callsWaitWhileTooMuchOfOtherAnswersDoes() async throws {
        var server = ServerConfiguration()
        server.startUnsentBytes = 100_000
        // Far less than all answers together.
        server.maxUnsentBytes = 2_000_000
        var client = ClientConfiguration.patient
        client.initialStreamWindowBytes = 20_000
        let answer = String(repeating: "x", count: 200_000)
        try await Loopback.with(
            [
                "Soon": .unary { _, _ in UnaryResponse(Payload(answer)) },
                "Now": .immediate { _, _ in UnaryResponse(Payload(answer)) },
            ], server: server, client: client
        ) { loopback in
            try await withThrowingTaskGroup(of: Bool.self) { tasks in
                for number in 0..<100 {
                    tasks.addTask {
                        try await loopback.unary(number % 2 == 0 ? "Soon" : "Now", deadline: .after(.seconds(200)))
                            == answer
                    }
                }
                var right = 0
                for try await isRight in tasks where isRight { right += 1 }
                #expect(right == 100)
            }
        }
    }

    @Test func onceThereIsRoomCallsThatWaitedRunManyAtATime() async throws {
        var server = ServerConfiguration()
        server.startUnsentBytes = 100_000
        var client = ClientConfiguration.patient
        client.initialStreamWindowBytes = 20_000
        let isFull = Signal()
        let running = Counter()
        try await Loopback.with(
            [
                // Nobody takes them: the window lets two of them come.
                "Fill": .stream { _, _, responses in
                    for _ in 0..<8 { try await responses.write(Payload(ByteBuffer(repeating: 7, count: 30_000))) }
                    isFull.fire()
                },
                "Wait": .unary { _, payload in
                    running.add()
                    try await Task.sleep(for: .milliseconds(20))
                    running.add(-1)
                    return UnaryResponse(payload)
                },
            ], server: server, client: client
        ) { loopback in
            let full = try await loopback.connection.open(loopback.path("Fill"))
            full.finishSending()
            await isFull.wait()
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<60 { tasks.addTask { try await loopback.expect("x", from: "Wait", "x") } }
                try await Task.sleep(for: .milliseconds(100))
                let taken = try await collect(full.responses)
                #expect(taken.count == 8)
                try await tasks.waitForAll()
            }
            #expect(running.most > 2 * ServerConfiguration().maxHeldHandlers)
        }
    }

    @Test func anAnswerBeyondWhatMayWaitIsRefused() async throws {
        var server = ServerConfiguration()
        server.maxUnsentBytes = 1000
        let methods: [String: RPCHandler] = [
            "Write": .stream { _, _, responses in
                try await responses.write(Payload(ByteBuffer(repeating: 1, count: 10_000)))
                try await responses.write(Payload("more"))
            }
        ]
        try await Loopback.serving(methods, server: server) { server in
            var windows = SessionSettings()
            windows.initialStreamWindowBytes = 100
            let call = try await RawLink.open(
                server.address, "/test.Service/Write", body: ByteBuffer(), settings: windows)
            #expect(try await call.answer.get()["grpc-status"] == "8")
            call.channel.close(promise: nil)
        }
    }

    @Test func callsBeyondTheStreamLimitWaitTheirTurn() async throws {
        var server = ServerConfiguration()
        server.maxConcurrentStreams = 4
        let running = Counter()
        try await Loopback.with(
            [
                "Echo": .unary { _, payload in
                    running.add()
                    try? await Task.sleep(for: .milliseconds(1))
                    running.add(-1)
                    return UnaryResponse(payload)
                }
            ], server: server
        ) { loopback in
            try await withThrowingTaskGroup(of: String.self) { tasks in
                for _ in 0..<200 { tasks.addTask { try await loopback.unary("Echo", "x") } }
                let texts = try await tasks.reduce(into: [String]()) { $0.append($1) }
                #expect(texts == Array(repeating: "x", count: 200))
            }
            #expect(running.most <= 4)
        }
    }

    @Test func tooManyWaitingCallsAreRefused() async throws {
        var server = ServerConfiguration()
        server.maxConcurrentStreams = 1
        var client = ClientConfiguration.patient
        client.maxPendingCalls = 2
        let (started, go) = (Signal(), Signal())
        try await Loopback.with(
            [
                "Wait": .stream { _, _, _ in
                    started.fire()
                    await go.wait()
                }
            ], server: server, client: client
        ) { loopback in
            let first = try await loopback.connection.open(loopback.path("Wait"))
            first.finishSending()
            await started.wait()
            try await withThrowingTaskGroup(of: RPCError?.self) { tasks in
                for _ in 0..<3 {
                    tasks.addTask {
                        await failure { _ = try await loopback.unary("Wait", deadline: .after(.seconds(30))) }
                    }
                }
                let refused = try #require(try await tasks.next() ?? nil)
                #expect(refused.code == .resourceExhausted)
                #expect(refused.neverStarted)
                tasks.cancelAll()
                for try await other in tasks { #expect(other?.code == .cancelled) }
            }
            go.fire()
        }
    }
}

/// Returns when `value` has not changed for a while.
func waitUntilStill(_ value: () -> Int) async throws {
    var last = -1
    var still = 0
    while still < 10 {
        try await Task.sleep(for: .milliseconds(20))
        still = value() == last ? still + 1 : 0
        last = value()
    }
}
