import HTTP2
import NIOCore
import NIOPosix
import Testing

@testable import RPC

/// Drain, loss, and what cannot be reached.
@Suite(.timeLimit(.minutes(5))) struct EndOfConnectionTests {
    @Test func aDrainingServerFinishesWhatRuns() async throws {
        let (started, go) = (Signal(), Signal())
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0,
            services: [
                TableService(methods: [
                    "Wait": .unary { _, payload in
                        started.fire()
                        await go.wait()
                        return UnaryResponse(payload)
                    }
                ])
            ], group: Loopback.group, logger: Loopback.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            let connection = try await RPCConnection.connect(
                to: server.address, configuration: .patient, group: Loopback.group, logger: Loopback.logger)
            async let answer = connection.unary("/test.Service/Wait", Payload("done"))
            await started.wait()
            server.drain()
            while connection.isUsable { try await Task.sleep(for: .milliseconds(5)) }
            let late = await failure { _ = try await connection.unary("/test.Service/Wait", Payload("late")) }
            #expect(late?.code == .unavailable)
            #expect(late?.neverStarted == true)
            go.fire()
            let text = try await answer.payload.text
            #expect(text == "done")
            #expect(await connection.closed().message.contains("goes away"))
            try await tasks.waitForAll()
        }
    }

    @Test func cancellingTheServerCutsWhatDoesNotEnd() async throws {
        let started = Signal()
        var configuration = ServerConfiguration()
        configuration.drainTimeout = .milliseconds(100)
        var running: RPCServer?
        let outcome = await failure {
            try await Loopback.serving(
                [
                    "Sleep": .unary { _, payload in
                        started.fire()
                        try await Task.sleep(for: .seconds(600))
                        return UnaryResponse(payload)
                    }
                ], server: configuration
            ) { server in
                running = server
                let connection = try await RPCConnection.connect(
                    to: server.address, configuration: .patient, group: Loopback.group, logger: Loopback.logger)
                let call = try await connection.open("/test.Service/Sleep")
                try await call.send(Payload("x"))
                call.finishSending()
                await started.wait()
            }
        }
        #expect(outcome == nil)
        #expect(running != nil)
    }

    @Test func aLostConnectionFailsAllItsCalls() async throws {
        let started = Signal()
        var configuration = ServerConfiguration()
        configuration.drainTimeout = .zero
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0, configuration: configuration,
            services: [
                TableService(methods: [
                    "Sleep": .unary { _, payload in
                        started.fire()
                        try await Task.sleep(for: .seconds(600))
                        return UnaryResponse(payload)
                    }
                ])
            ], group: Loopback.group, logger: Loopback.logger)
        try await withThrowingTaskGroup(of: RPCError?.self) { tasks in
            let connection = try await withThrowingTaskGroup(of: Void.self) { serving in
                serving.addTask { try await server.run() }
                let connection = try await RPCConnection.connect(
                    to: server.address, configuration: .patient, group: Loopback.group, logger: Loopback.logger)
                for _ in 0..<10 {
                    tasks.addTask {
                        await failure { _ = try await connection.unary("/test.Service/Sleep", Payload("x")) }
                    }
                }
                await started.wait()
                serving.cancelAll()
                try await serving.waitForAll()
                return connection
            }
            for try await error in tasks {
                #expect(error?.code == .unavailable)
                #expect(error?.lostConnection == true || error?.neverStarted == true)
            }
            #expect(!connection.isUsable)
            let late = await failure { _ = try await connection.unary("/test.Service/Sleep", Payload("x")) }
            #expect(late?.code == .unavailable)
            #expect(late?.neverStarted == true)
        }
    }

    /// Says hello, opens its windows as wide as they go, and reads nothing.
    private final class Stuck: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelActive(context: ChannelHandlerContext) {
            let settings: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]
            let window: [UInt8] = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0]
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: settings + window)), promise: nil)
        }
    }

    private func look<Value: Sendable>(
        at connection: RPCConnection, _ body: @escaping @Sendable (ClientConnection) -> Value
    ) async -> Value {
        await withCheckedContinuation { continuation in
            connection.inbox.submit { continuation.resume(returning: body($0)) }
        }
    }

    /// The socket is full, so that the head of the second one never leaves: its server cannot have run it.
    @Test func aCallThatWasNotSentHasNotBegun() async throws {
        let server = try await ServerBootstrap(group: Loopback.group)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Stuck()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { server.close(promise: nil) }
        let connection = try await RPCConnection.connect(
            to: try #require(server.localAddress), configuration: .patient, group: Loopback.group,
            logger: Loopback.logger)
        let size = 64 << 20
        async let large = failure {
            _ = try await connection.unary("/a/b", Payload(ByteBuffer(repeating: 1, count: size)))
        }
        var (last, still) = (size, 0)
        while still < 10 {
            try await Task.sleep(for: .milliseconds(20))
            let unsent = await look(at: connection) { $0.session.unsentBytes }
            still = unsent == last && unsent > 0 && unsent < size ? still + 1 : 0
            last = unsent
        }
        async let small = failure { _ = try await connection.unary("/a/b", Payload("x")) }
        while await look(at: connection, { $0.calls.count }) < 2 { try await Task.sleep(for: .milliseconds(1)) }
        connection.close()
        let (cut, unsent) = await (large, small)
        #expect(cut?.lostConnection == true && cut?.neverStarted == false)
        #expect(unsent?.lostConnection == false && unsent?.neverStarted == true)
        #expect(unsent?.code == .unavailable)
    }

    /// Far more than the queue of a consumer that takes nothing; their window holds them all.
    @Test func whatCameWithItsStatusOutlivesTheConnection() async throws {
        let count = 1000
        let server = try await RPCServer.bind(
            host: "127.0.0.1", port: 0,
            services: [
                TableService(methods: [
                    "Many": .stream { _, _, responses in
                        for _ in 0..<count { try await responses.write(Payload(ByteBuffer(repeating: 7, count: 100))) }
                    }
                ])
            ], group: Loopback.group, logger: Loopback.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            let connection = try await RPCConnection.connect(
                to: server.address, configuration: .patient, group: Loopback.group, logger: Loopback.logger)
            let call = try await connection.open("/test.Service/Many")
            call.finishSending()
            var responses = call.responses.makeAsyncIterator()
            var taken = try await responses.next() == nil ? 0 : 1
            server.drain()
            _ = await connection.closed()
            while try await responses.next() != nil { taken += 1 }
            #expect(taken == count)
            try await tasks.waitForAll()
        }
    }

    @Test(arguments: [false, true])
    func whatWaitedForMemoryOutlivesTheConnection(_ isStreaming: Bool) async throws {
        let budget = MemoryBudget(limit: 1 << 20)
        let held = budget.reserve(1 << 20)
        let size = 100 << 10
        let script: FrameServer.Script = { session, stream in
            var body = MessageReaderTests.prefix(size)
            body.writeRepeatingByte(7, count: size)
            session.respond(stream: stream, fields: FrameServer.head, endStream: false)
            session.send(stream: stream, body)
            session.finish(stream: stream, trailers: FrameServer.ok)
            session.finalGoAway()
        }
        try await FrameServer.with(budget: budget, script) { connection in
            var sizes: [Int] = []
            if isStreaming {
                let call = try await connection.open("/a/b")
                for try await answer in call.responses { sizes.append(answer.message.readableBytes) }
            } else {
                let answer = try await connection.unary("/a/b", Payload("x"))
                sizes.append(answer.payload.message.readableBytes)
            }
            #expect(sizes == [size])
        }
        withExtendedLifetime(held) {}
    }

    @Test func aClientThatDrainsFinishesWhatRuns() async throws {
        let (started, go) = (Signal(), Signal())
        try await Loopback.with([
            "Wait": .unary { _, payload in
                started.fire()
                await go.wait()
                return UnaryResponse(payload)
            }
        ]) { loopback in
            async let answer = loopback.unary("Wait", "done")
            await started.wait()
            loopback.connection.drain()
            #expect(await failure { _ = try await loopback.unary("Wait") }?.neverStarted == true)
            go.fire()
            let text = try await answer
            #expect(text == "done")
            _ = await loopback.connection.closed()
        }
    }

    @Test func errorsNameTheAddress() async throws {
        let nobody = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        let refused = await failure {
            _ = try await RPCConnection.connect(to: nobody, group: Loopback.group, logger: Loopback.logger)
        }
        #expect(refused?.message == "cannot connect to 127.0.0.1:1: connection refused")
        #expect(refused?.neverStarted == true)

        try await Loopback.serving([:]) { server in
            let port = try #require(server.address.port)
            let taken = await failure {
                _ = try await RPCServer.bind(
                    host: "127.0.0.1", port: port, services: [], group: Loopback.group, logger: Loopback.logger)
            }
            #expect(taken?.message == "cannot listen on 127.0.0.1:\(port): address already in use")
        }
    }

    @Test func aPeerThatNeverSpeaksIsGivenUp() async throws {
        let silent = try await ServerBootstrap(group: Loopback.group).bind(host: "127.0.0.1", port: 0).get()
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .seconds(1)
        let address = try #require(silent.localAddress)
        let error = await failure {
            _ = try await RPCConnection.connect(
                to: address, configuration: configuration, group: Loopback.group, logger: Loopback.logger)
        }
        #expect(error?.message.hasSuffix("no HTTP/2 SETTINGS within 1.0 s") == true)
        try await silent.close()
    }

    @Test func aConnectMayBeCancelled() async throws {
        let (accepted, accept) = AsyncStream<any Channel>.makeStream()
        let silent = try await ServerBootstrap(group: Loopback.group)
            .childChannelInitializer { channel in
                accept.yield(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(silent.localAddress)
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .seconds(3600)
        let connecting = Task { [configuration] in
            await failure {
                _ = try await RPCConnection.connect(
                    to: address, configuration: configuration, group: Loopback.group, logger: Loopback.logger)
            }
        }
        let channel = try #require(await accepted.first { _ in true })
        connecting.cancel()
        #expect(await connecting.value?.neverStarted == true)
        try await channel.closeFuture.get()
        // Also where it was cancelled before it began.
        let late = Task { [configuration] in
            while !Task.isCancelled { await Task.yield() }
            return await failure {
                _ = try await RPCConnection.connect(
                    to: address, configuration: configuration, group: Loopback.group, logger: Loopback.logger)
            }
        }
        late.cancel()
        #expect(await late.value?.neverStarted == true)
        try await silent.close()
    }

    @Test func bytesThatAreNotHTTP2EndTheirConnectionOnly() async throws {
        try await Loopback.with(["Echo": .immediate { _, payload in UnaryResponse(payload) }]) { loopback in
            let stranger = try await ClientBootstrap(group: Loopback.group).connect(to: loopback.server.address).get()
            try await stranger.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.1\r\nhost: x\r\n\r\n"))
            try await stranger.closeFuture.get()
            try await loopback.expect("x", from: "Echo", "x")
        }
    }

    @Test func whoWaitsForTheEndMayBeCancelled() async throws {
        try await Loopback.with { loopback in
            let waiting = Task { await loopback.connection.closed() }
            waiting.cancel()
            #expect(await waiting.value.code == .cancelled)
        }
    }
}
