import HTTP2
import NIOCore
import NIOPosix
import Testing

@testable import RPC

/// Keepalive, age, slow peers and drains over real sockets.
@Suite(.timeLimit(.minutes(5))) struct ConnectionLifeTests {
    static let methods: [String: RPCHandler] = [
        "Echo": .unary { _, payload in UnaryResponse(payload) }
    ]

    private func connect(_ address: SocketAddress, _ client: ClientConfiguration = .patient) async throws
        -> RPCConnection
    {
        try await RPCConnection.connect(
            to: address, configuration: client, group: Loopback.group, logger: Loopback.logger)
    }

    private func asking(every time: Duration, timeout: Duration = .seconds(60)) -> ClientConfiguration {
        var client = ClientConfiguration.patient
        client.keepalive.minTime = .zero
        client.keepalive.time = time
        client.keepalive.timeout = timeout
        client.keepalive.permitWithoutCalls = true
        return client
    }

    // ---- keepalive ----

    @Test func aClientGivesUpAServerThatAnswersNothing() async throws {
        let mute = try await Mute.server()
        let connection = try await connect(
            try #require(mute.localAddress), asking(every: .milliseconds(300), timeout: .seconds(1)))
        async let call = failure { _ = try await connection.unary("/test.Service/Echo", Payload("x")) }
        #expect(await connection.closed().message.contains("keepalive: no answer from the peer"))
        // It may come too late to begin.
        let error = await call
        #expect(error?.lostConnection == true || error?.neverStarted == true)
        try await mute.close()
    }

    @Test func aServerGivesUpAClientThatAnswersNothing() async throws {
        var server = ServerConfiguration()
        server.keepalive.time = .milliseconds(20)
        server.keepalive.timeout = .milliseconds(50)
        try await Loopback.serving(Self.methods, server: server) { server in
            let mute = try await Mute.client(of: server.address)
            try await mute.closeFuture.get()
        }
    }

    @Test func aPeerThatAnswersIsKept() async throws {
        var server = ServerConfiguration()
        server.pings.minTime = .zero
        server.pings.permitWithoutCalls = true
        server.keepalive.time = .milliseconds(10)
        try await Loopback.with(Self.methods, server: server, client: asking(every: .milliseconds(10))) { loopback in
            for _ in 0..<10 {
                try await Task.sleep(for: .milliseconds(30))
                try await loopback.expect("x", from: "Echo", "x")
            }
        }
    }

    @Test func aClientThatAsksTooOftenIsSentAwayAndSlowsDown() async throws {
        let client = asking(every: .milliseconds(20))
        try await Loopback.serving(Self.methods) { server in
            let connection = try await connect(server.address, client)
            let end = await connection.closed()
            #expect(end.message.contains("ENHANCE_YOUR_CALM: too_many_pings"))
            #expect(client.keepalive.effectiveTime == .milliseconds(40))
        }
    }

    // ---- age ----

    @Test func anOldConnectionFinishesItsCalls() async throws {
        var server = ServerConfiguration()
        // The call has to begin within it, on a busy machine too.
        server.age.maxAge = .seconds(3)
        let go = Signal()
        let methods: [String: RPCHandler] = [
            "Wait": .unary { _, payload in
                await go.wait()
                return UnaryResponse(payload)
            }
        ]
        try await Loopback.with(methods, server: server) { loopback in
            async let answer = loopback.unary("Wait", "done", deadline: .after(.seconds(200)))
            while loopback.connection.isUsable { try await Task.sleep(for: .milliseconds(5)) }
            // Nothing else than its age ends this connection. How its end reads at last depends on who is faster.
            #expect(await failure { _ = try await loopback.unary("Wait") }?.neverStarted == true)
            go.fire()
            let text = try await answer
            #expect(text == "done")
            _ = await loopback.connection.closed()
        }
    }

    @Test func afterTheGraceCallsAreCut() async throws {
        var server = ServerConfiguration()
        server.age.maxAge = .seconds(1)
        server.age.maxAgeGrace = .milliseconds(50)
        let methods: [String: RPCHandler] = [
            "Sleep": .unary { _, payload in
                try await Task.sleep(for: .seconds(600))
                return UnaryResponse(payload)
            }
        ]
        try await Loopback.with(methods, server: server) { loopback in
            let error = await failure { _ = try await loopback.unary("Sleep", deadline: .after(.seconds(200))) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test func anIdleConnectionEnds() async throws {
        var server = ServerConfiguration()
        server.age.maxIdle = .seconds(1)
        try await Loopback.with(Self.methods, server: server) { loopback in
            #expect(await loopback.connection.closed().message.contains("goes away (NO_ERROR"))
        }
    }

    // ---- slow peers ----

    private static func endless(_ ended: Signal) -> RPCHandler {
        .stream { _, _, responses in
            let piece = Payload(ByteBuffer(repeating: 1, count: 60_000))
            do {
                while true { try await responses.write(piece) }
            } catch {
                ended.fire()
                throw error
            }
        }
    }

    @Test func aConnectionWhosePeerReadsNothingEnds() async throws {
        let ended = Signal()
        var server = ServerConfiguration()
        server.slowPeers.outputTimeout = .milliseconds(200)
        try await Loopback.serving(["Endless": Self.endless(ended)], server: server) { server in
            var windows = SessionSettings()
            windows.initialStreamWindowBytes = 1 << 30
            windows.connectionWindowBytes = 1 << 30
            // On a busy machine the server may have enough of a connection that has not opened its call yet.
            var opened: RawLink.Call?
            for _ in 0..<100 where opened == nil {
                opened = try? await RawLink.open(
                    server.address, "/test.Service/Endless", body: ByteBuffer(), settings: windows)
            }
            let call = try #require(opened)
            // It may have ended before.
            try? await call.channel.setOption(.autoRead, value: false).get()
            await ended.wait()
            call.channel.close(promise: nil)
        }
    }

    @Test func aStreamWhoseWindowStaysClosedEnds() async throws {
        let ended = Signal()
        var server = ServerConfiguration()
        server.slowPeers.streamTimeout = .milliseconds(100)
        try await Loopback.serving(["Endless": Self.endless(ended)], server: server) { server in
            var windows = SessionSettings()
            windows.initialStreamWindowBytes = 1000
            let call = try await RawLink.open(
                server.address, "/test.Service/Endless", body: ByteBuffer(), settings: windows)
            let answer = try await call.answer.get()
            #expect(answer["closed"] == "CANCEL")
            await ended.wait()
            call.channel.close(promise: nil)
        }
    }

    @Test func aDeadlineEndsACallThatWaitsForItsWindow() async throws {
        let ended = Signal()
        try await Loopback.serving(["Endless": Self.endless(ended)]) { server in
            var windows = SessionSettings()
            windows.initialStreamWindowBytes = 1000
            let call = try await RawLink.open(
                server.address, "/test.Service/Endless", [HeaderField("grpc-timeout", "200m")], body: ByteBuffer(),
                settings: windows)
            let answer = try await call.answer.get()
            #expect(answer["grpc-status"] == "4")
            await ended.wait()
            call.channel.close(promise: nil)
        }
    }

    @Test func aMessageThatComesTooSlowlyEndsItsCall() async throws {
        var server = ServerConfiguration()
        server.slowPeers.uploadGrace = .milliseconds(100)
        try await Loopback.serving(Self.methods, server: server) { server in
            let begun = ByteBuffer(bytes: [0, 0, 1, 0, 0, 1, 2, 3])
            let call = try await RawLink.open(server.address, "/test.Service/Echo", body: begun)
            let answer = try await call.answer.get()
            #expect(answer["grpc-status"] == "4")
            #expect(answer["grpc-message"] == "the request message arrives too slowly")
            call.channel.close(promise: nil)
        }
    }

    @Test func aClientIsNotSlowWhileTheHandlerTakesNothing() async throws {
        var server = ServerConfiguration()
        server.slowPeers.uploadGrace = .milliseconds(400)
        let methods: [String: RPCHandler] = [
            "Count": .stream { _, requests, responses in
                // Many times the grace: time is what the limit is of.
                try await Task.sleep(for: .seconds(3))
                var count = 0
                for try await _ in requests { count += 1 }
                try await responses.write(Payload("\(count)"))
            }
        ]
        try await Loopback.with(methods, server: server) { loopback in
            let call = try await loopback.connection.open("/test.Service/Count")
            // Less than half a window each, so that the last one to fit stays half sent.
            for _ in 0..<10 { try await call.send(Payload(ByteBuffer(repeating: 1, count: 100_000))) }
            call.finishSending()
            var answers: [String] = []
            for try await answer in call.responses { answers.append(answer.text) }
            #expect(answers == ["10"])
        }
    }

    @Test func oneAddressMayHaveSoManyConnections() async throws {
        var server = ServerConfiguration()
        server.maxConnectionsPerAddress = 2
        try await Loopback.serving(Self.methods, server: server) { server in
            let first = try await connect(server.address)
            let second = try await connect(server.address)
            #expect(await failure { _ = try await connect(server.address) }?.code == .unavailable)
            first.close()
            _ = await first.closed()
            while true {
                if let third = try? await connect(server.address) {
                    third.close()
                    break
                }
            }
            second.close()
        }
    }

    // ---- drain ----

    @Test func aDrainDoesNotWaitForAPeerThatAnswersNothing() async throws {
        var configuration = ServerConfiguration()
        configuration.goAwayPatience = .milliseconds(50)
        configuration.drainTimeout = .seconds(3600)
        try await Loopback.serving(Self.methods, server: configuration) { server in
            let mute = try await Mute.client(of: server.address)
            server.drain()
            try await mute.closeFuture.get()
        }
    }

    // ---- event loops ----

    @Test func connectionsAreSpreadEvenlyOnTheLoops() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 3)
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0,
            services: [
                TableService(methods: [
                    "Loop": .immediate { _, _ in
                        let loop = MultiThreadedEventLoopGroup.currentEventLoop
                        return UnaryResponse(Payload(loop.map { "\(ObjectIdentifier($0))" } ?? "none"))
                    }
                ])
            ], group: group, logger: Loopback.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            var connections: [String: Int] = [:]
            for _ in 0..<12 {
                let connection = try await connect(server.address)
                let loop = try await connection.unary("/test.Service/Loop", Payload("")).payload.text
                connections[loop, default: 0] += 1
            }
            #expect(connections.values.sorted() == [4, 4, 4])
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
        try await group.shutdownGracefully()
    }
}
