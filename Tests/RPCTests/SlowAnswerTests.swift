import NIOCore
import Testing

@testable import HTTP2
@testable import RPC

/// Servers whose answers begin and then do not go on: nobody waits for them for long, and they hold no memory.
@Suite(.timeLimit(.minutes(3))) struct SlowAnswerTests {
    /// A response head and these bytes of messages, nothing more.
    private static func begins(_ body: ByteBuffer) -> FrameServer.Script {
        { session, stream in
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            session.send(stream: stream, body)
        }
    }

    private static func part(of size: Int, bytes: Int) -> ByteBuffer {
        var body = MessageReaderTests.prefix(size)
        body.writeRepeatingByte(7, count: bytes)
        return body
    }

    private static func whole(_ size: Int) -> ByteBuffer { part(of: size, bytes: size) }

    private static func client(_ change: (inout ClientConfiguration) -> Void) -> ClientConfiguration {
        var client = ClientConfiguration.patient
        change(&client)
        return client
    }

    private static func unary(_ connection: RPCConnection) async -> RPCError? {
        await failure { _ = try await connection.unary("/a/b", Payload("x")) }
    }

    private static func stream(_ connection: RPCConnection) async -> RPCError? {
        await failure {
            let call = try await connection.open("/a/b")
            _ = try await collect(call.responses)
        }
    }

    /// 512 KiB are announced, 1000 bytes of them come.
    @Test(arguments: [false, true])
    func anAnswerThatHasBegunMustGoOn(_ isStreaming: Bool) async throws {
        let client = Self.client { $0.answers.grace = .milliseconds(100) }
        let budget = MemoryBudget(limit: 1 << 20)
        try await FrameServer.with(client: client, budget: budget, Self.begins(Self.part(of: 512 << 10, bytes: 1000))) {
            connection in
            let error = await (isStreaming ? Self.stream : Self.unary)(connection)
            #expect(error?.code == .unavailable)
            #expect(error?.message == "the answer arrives too slowly")
            #expect(error?.limit == .slowAnswer)
            // Its end may be told a little before.
            while budget.used > 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    @Test func whatHoldsMemoryMustCome() async throws {
        // A sixteenth of it in each 100 ms.
        let client = Self.client {
            $0.answers = ArrivalLimits(minRate: nil, grace: .milliseconds(100), time: .milliseconds(1600))
        }
        try await FrameServer.with(client: client, Self.begins(Self.part(of: 512 << 10, bytes: 1000))) { connection in
            #expect(await Self.unary(connection)?.limit == .slowAnswer)
        }
    }

    @Test func aWholeAnswerWhoseStatusDoesNotComeHoldsNoMemory() async throws {
        let client = Self.client { $0.answers.grace = .milliseconds(100) }
        let budget = MemoryBudget(limit: 1 << 20)
        try await FrameServer.with(client: client, budget: budget, Self.begins(Self.whole(100 << 10))) { connection in
            #expect(await Self.unary(connection)?.limit == .slowAnswer)
            // Its end may be told a little before.
            while budget.used > 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }

    /// Of one that came in one piece, and needed no reader.
    @Test func aSmallAnswerWhoseStatusDoesNotComeIsNotWaitedForLong() async throws {
        let client = Self.client { $0.answers.grace = .milliseconds(100) }
        try await FrameServer.with(client: client, Self.begins(Self.whole(10))) { connection in
            let error = await Self.unary(connection)
            #expect(error?.limit == .slowAnswer && error?.isCommitted == true)
        }
    }

    @Test func anAnswerWaitsForMemoryOnlySoLong() async throws {
        let client = Self.client { $0.memoryPatience = .milliseconds(100) }
        let budget = MemoryBudget(limit: 1 << 20)
        let held = budget.reserve(1 << 20)
        try await FrameServer.with(client: client, budget: budget, Self.begins(Self.whole(100 << 10))) { connection in
            let error = await Self.unary(connection)
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message.hasPrefix("no memory for the answer within") == true)
            #expect(error?.limit == .memoryWait)
        }
        withExtendedLifetime(held) {}
    }

    /// A stream may be quiet between its messages, and before its status.
    @Test func whatIsBetweenMessagesMayTakeLong() async throws {
        let client = Self.client { $0.answers.grace = .milliseconds(20) }
        // So short that it comes whole.
        try await FrameServer.with(client: client, Self.begins(Self.whole(10))) { connection in
            let error = await failure {
                let call = try await connection.open("/a/b", options: CallOptions(deadline: .after(.milliseconds(500))))
                _ = try await collect(call.responses)
            }
            #expect(error?.code == .deadlineExceeded)
        }
    }

    /// Who holds half of the memory with answers that it does not send has no more of it.
    @Test func oneServerHasOnlyItsShare() async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        let client = Self.client { $0.answers = ArrivalLimits(minRate: nil, time: nil) }
        let stuck = Self.begins(Self.part(of: 512 << 10, bytes: 1000))
        try await FrameServer.with(client: client, budget: budget, stuck) { connection in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 { tasks.addTask { _ = await Self.unary(connection) } }
                while budget.used == 0 { try await Task.sleep(for: .milliseconds(1)) }
                let good: FrameServer.Script = { session, stream in
                    session.respond(stream: stream, fields: FrameServer.head, endStream: false)
                    session.send(stream: stream, Self.whole(400 << 10))
                    session.finish(stream: stream, trailers: FrameServer.ok)
                }
                try await FrameServer.with(budget: budget, good) { other in
                    let options = CallOptions(deadline: .after(.seconds(60)))
                    let answer = try await other.unary("/a/b", Payload("x"), options: options)
                    #expect(answer.payload.message.readableBytes == 400 << 10)
                }
                tasks.cancelAll()
            }
        }
    }
}
