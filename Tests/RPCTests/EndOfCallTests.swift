import HTTP2
import Logging
import NIOCore
import TestSupport
import Testing

@testable import RPC

/// Deadlines and cancellation, both ways.
@Suite(.timeLimit(.minutes(5))) struct EndOfCallTests {
    /// Runs until it is cancelled, and says so.
    static func sleeper(started: Signal = Signal(), cancelled: Signal) -> RPCHandler {
        .unary { _, payload in
            started.fire()
            try? await Task.sleep(for: .seconds(600))
            if Task.isCancelled { cancelled.fire() }
            return UnaryResponse(payload)
        }
    }

    @Test func aDeadlineEndsTheCallAndItsHandler() async throws {
        let (started, cancelled) = (Counter(), Counter())
        let handler = RPCHandler.unary { _, payload in
            started.add()
            try? await Task.sleep(for: .seconds(600))
            if Task.isCancelled { cancelled.add() }
            return UnaryResponse(payload)
        }
        try await Loopback.with(["Sleep": handler]) { loopback in
            // On a busy machine the deadline may pass before the call has come to the server.
            repeat {
                let error = await failure { _ = try await loopback.unary("Sleep", deadline: .after(.seconds(2))) }
                #expect(error?.code == .deadlineExceeded)
            } while started.value == 0
            while cancelled.value < started.value { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func theServerEnforcesTheDeadlineByItself() async throws {
        let cancelled = Signal()
        try await Loopback.with(["Sleep": Self.sleeper(cancelled: cancelled)]) { loopback in
            // A client that sends grpc-timeout but does not watch the clock.
            let answer = try await RawClient.request(
                to: loopback.server.address,
                RawClient.head("/test.Service/Sleep") + [HeaderField("grpc-timeout", "50m")],
                body: ByteBuffer(bytes: [0, 0, 0, 0, 0]))
            #expect(answer["grpc-status"] == "4")
            #expect(answer["grpc-message"] == "deadline exceeded at the server")
            await cancelled.wait()
        }
    }

    @Test func handlersSeeTheDeadline() async throws {
        try await Loopback.with([
            "Left": .unary { context, _ in
                let left = try #require(context.deadline).remaining
                return UnaryResponse(
                    Payload(left > .seconds(50) && left <= .seconds(60) ? "about a minute" : "\(left)"))
            }
        ]) { loopback in
            let answer = try await loopback.unary("Left", deadline: .after(.seconds(60)))
            #expect(answer == "about a minute")
        }
    }

    @Test func aDeadlineThatHasPassedNeverReachesTheHandler() async throws {
        try await Loopback.with(["Echo": .immediate { _, payload in UnaryResponse(payload) }]) { loopback in
            let error = await failure { _ = try await loopback.unary("Echo", deadline: .after(.zero)) }
            #expect(error?.code == .deadlineExceeded)
        }
    }

    @Test func cancellingTheClientsTaskCancelsTheHandler() async throws {
        let (started, cancelled) = (Signal(), Signal())
        try await Loopback.with(["Sleep": Self.sleeper(started: started, cancelled: cancelled)]) { loopback in
            await withTaskGroup(of: RPCError?.self) { tasks in
                tasks.addTask { await failure { _ = try await loopback.unary("Sleep") } }
                await started.wait()
                tasks.cancelAll()
                let error = await tasks.next() ?? nil
                #expect(error?.code == .cancelled)
            }
            await cancelled.wait()
        }
    }

    @Test func cancellingAStreamingCallEndsBothSides() async throws {
        let (started, ended) = (Signal(), Signal())
        try await Loopback.with([
            "Listen": .stream { _, requests, _ in
                started.fire()
                let error = await failure { _ = try await collect(requests) }
                if error?.code == .cancelled { ended.fire() }
            }
        ]) { loopback in
            let call = try await loopback.connection.open(loopback.path("Listen"))
            await started.wait()
            call.cancel()
            let error = await failure { _ = try await collect(call.responses) }
            #expect(error?.code == .cancelled)
            #expect(await failure { try await call.send(Payload("late")) }?.code == .cancelled)
            await ended.wait()
        }
    }

    @Test func aHandlerMayAnswerBeforeTheClientHasSentAll() async throws {
        try await Loopback.with([
            "First": .stream { _, requests, responses in
                for try await request in requests { return try await responses.write(request) }
            }
        ]) { loopback in
            let call = try await loopback.connection.open(loopback.path("First"))
            try await call.send(Payload("one"))
            #expect(try await collect(call.responses) == ["one"])
            // Still a good connection, and no window has leaked.
            try await loopback.expect("two", from: "First", "two")
        }
    }

    @Test func callsWithTheWrongCountOfMessagesFail() async throws {
        try await Loopback.with(["Echo": .unary { _, payload in UnaryResponse(payload) }]) { loopback in
            for count in [0, 2] {
                let call = try await loopback.connection.open(loopback.path("Echo"))
                // The answer may come before the second one.
                for _ in 0..<count { try? await call.send(Payload("x")) }
                call.finishSending()
                #expect(await failure { _ = try await collect(call.responses) }?.code == .internal)
            }
        }
    }

    // ---- what a call holds ----

    @Test func anEndedCallHoldsNoHalfMessage() throws {
        let budget = MemoryBudget(limit: 100_000)
        var reader = MessageReaderTests.reader()
        reader.receive(MessageReaderTests.prefix(50_000))
        #expect(MessageReaderTests.outputs(&reader, budget) == ["credit 49505"])
        #expect(budget.used == 50_000)
        let context = CallContext(path: "/a/b", metadata: [:], deadline: nil, peer: "p", takesAttachments: false)
        let method = ServerMethod(
            .immediate { _, payload in UnaryResponse(payload) }, of: MethodDescription(service: "a", method: "b"),
            .init(), interceptors: [])
        let call = ServerCall(stream: 1, context: context, method: method, start: .distantPast)
        call.reader = reader
        reader = MessageReaderTests.reader()
        call.end(RPCError(.cancelled, "over"), budget: budget)
        #expect(budget.used == 0)
        withExtendedLifetime(call) {}
    }

    @Test func aCancelledCallThatSomeoneKeepsHoldsNoMemory() async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        let handler = RPCHandler.stream { _, _, responses in
            try await responses.write(Payload(ByteBuffer(repeating: 1, count: 900_000)))
            try await responses.write(Payload(ByteBuffer(repeating: 2, count: 900_000)))
        }
        try await Loopback.with(["Two": handler], clientBudget: budget) { loopback in
            let call = try await loopback.connection.open(loopback.path("Two"))
            // The first message has the memory, the second waits for it.
            var first: Payload? = try await call.responses.first { _ in true }
            #expect(first?.message.readableBytes == 900_000)
            #expect(budget.used == 900_000)
            call.cancel()
            first = nil
            _ = first
            try await eventually { budget.used == 0 }
            withExtendedLifetime(call) {}
        }
    }

    private func eventually(_ condition: () -> Bool) async throws {
        for _ in 0..<20_000 where !condition() { try await Task.sleep(for: .milliseconds(1)) }
        #expect(condition())
    }

    @Test func aLimitOfTheClientHasALineInItsLog() async throws {
        let recorder = LogRecorder()
        var configuration = ClientConfiguration.patient
        configuration.maxMessageBytes = 10
        try await Loopback.serving(["Echo": .unary { _, request in UnaryResponse(request) }]) { server in
            let connection = try await RPCConnection.connect(
                to: server.address, configuration: configuration, group: Loopback.group, logger: recorder.logger)
            defer { connection.close() }
            let error = await failure { _ = try await connection.unary("/test.Service/Echo", Payload("12345678901")) }
            #expect(error?.code == .resourceExhausted)
            let line = recorder.lines.first { $0.metadata["reason"] == "message_bytes" }
            #expect(line?.level == .info)
            #expect(line?.metadata["peer"] == "127.0.0.1:\(server.address.port ?? 0)")
        }
    }
}
