import NIOCore
import Testing

@testable import RPC

/// Slow and greedy clients, and the memory of the others.
@Suite(.timeLimit(.minutes(5))) struct MemoryShareTests {
    private static let echo: [String: RPCHandler] = ["Echo": .unary { _, request in UnaryResponse(request) }]

    private static func ended(_ call: RawLink.Call) async throws -> [String: String] {
        defer { call.channel.close(promise: nil) }
        return try await call.answer.get()
    }

    /// However many connections it has.
    @Test func oneAddressDoesNotGetTheMemoryOfAll() async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        try await Loopback.with(Self.echo, serverBudget: budget) { loopback in
            // Each wants all that its address may have.
            let prefix = MessageReaderTests.prefix(512 << 10)
            var slow: [RawLink.Call] = []
            for _ in 0..<4 {
                slow.append(
                    try await RawLink.open(
                        loopback.server.address, loopback.path("Echo"), body: prefix, from: "127.0.0.2"))
                while budget.used == 0 { try await Task.sleep(for: .milliseconds(1)) }
            }
            let large = String(repeating: "x", count: 512 << 10)
            try await loopback.expect(large, from: "Echo", large)
            for call in slow { call.channel.close(promise: nil) }
        }
    }

    /// No handler runs for them, so nothing else bounds them.
    @Test func headsThatWaitForTheirMessagesCount() async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        try await Loopback.serving(Self.echo, budget: budget) { server in
            let begun = ByteBuffer(bytes: [0])
            let call = try await RawLink.open(server.address, "/test.Service/Echo", body: begun)
            // With a message for which no memory is reserved.
            let least = 2048 + MemoryBudget.smallestReservation
            while budget.waitingBytes < least { try await Task.sleep(for: .milliseconds(1)) }
            call.channel.close(promise: nil)
            while budget.waitingBytes > 0 { try await Task.sleep(for: .milliseconds(1)) }
            let held = (0..<2).map { _ in budget.holdWindow(16 << 20, in: nil) }
            let answer = try await Self.ended(RawLink.open(server.address, "/test.Service/Echo", body: begun))
            #expect(answer["grpc-status"] == "8" && budget.waitingBytes == 32 << 20)
            withExtendedLifetime(held) {}
        }
    }

    @Test func aMessageWaitsForMemoryOnlySoLong() async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        var server = ServerConfiguration()
        server.memoryPatience = .milliseconds(100)
        let held = budget.reserve(1 << 20)
        try await Loopback.with(Self.echo, server: server, serverBudget: budget) { loopback in
            let error = await failure {
                _ = try await loopback.unary("Echo", String(repeating: "x", count: 100_000), deadline: nil)
            }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message.hasPrefix("no memory for the request message within") == true)
        }
        withExtendedLifetime(held) {}
    }

    @Test func whatHoldsMemoryMustCome() async throws {
        var server = ServerConfiguration()
        // A sixteenth of it in each 100 ms, which no byte is.
        (server.slowPeers.uploadTime, server.slowPeers.uploadGrace) = (.milliseconds(1600), .milliseconds(100))
        server.slowPeers.minUploadRate = 0
        let budget = MemoryBudget(limit: 1 << 20)
        try await Loopback.serving(Self.echo, server: server, budget: budget) { server in
            let prefix = MessageReaderTests.prefix(512 << 10)
            let answer = try await Self.ended(RawLink.open(server.address, "/test.Service/Echo", body: prefix))
            #expect(answer["grpc-status"] == "4")
            #expect(budget.used == 0)
        }
    }

    @Test func aWholeRequestWhoseStreamDoesNotEndHoldsNoMemory() async throws {
        var server = ServerConfiguration()
        server.slowPeers.uploadGrace = .milliseconds(100)
        let budget = MemoryBudget(limit: 1 << 20)
        try await Loopback.serving(Self.echo, server: server, budget: budget) { server in
            var body = MessageReaderTests.prefix(100 << 10)
            body.writeRepeatingByte(0, count: 100 << 10)
            let answer = try await Self.ended(RawLink.open(server.address, "/test.Service/Echo", body: body))
            #expect(answer["grpc-status"] == "4")
            #expect(budget.used == 0)
        }
    }

    @Test(arguments: ["Echo", "Read"])
    func aCallThatNeverBeginsIsEnded(_ method: String) async throws {
        var server = ServerConfiguration()
        server.slowPeers.firstMessageTimeout = .milliseconds(100)
        var methods = Self.echo
        methods["Read"] = .stream { _, requests, _ in for try await _ in requests {} }
        try await Loopback.serving(methods, server: server) { server in
            let answer = try await Self.ended(
                RawLink.open(server.address, "/test.Service/\(method)", body: ByteBuffer()))
            #expect(answer["grpc-status"] == "4")
            #expect(answer["grpc-message"]?.hasPrefix("no request message came within") == true)
        }
    }

    /// A server that speaks first may be listened to for long.
    @Test func aCallThatWasAnsweredNeedsNoMessage() async throws {
        var server = ServerConfiguration()
        server.slowPeers.firstMessageTimeout = .seconds(6)
        let methods: [String: RPCHandler] = [
            "Speak": .stream { _, requests, responses in
                try await responses.write(Payload("hello"))
                for try await request in requests { try await responses.write(request) }
            }
        ]
        try await Loopback.with(methods, server: server) { loopback in
            let call = try await loopback.connection.open(loopback.path("Speak"))
            var answers = call.responses.makeAsyncIterator()
            #expect(try await answers.next()?.text == "hello")
            try await Task.sleep(for: .seconds(8))
            try await call.send(Payload("late"))
            #expect(try await answers.next()?.text == "late")
            call.cancel()
        }
    }
}
