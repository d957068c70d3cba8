import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import HTTP2
@testable import RPC

/// Nothing is left of a client's connection when it has ended, however it ended.
@Suite(.timeLimit(.minutes(5))) struct ClientObjectsTests {
    /// The parts of a connection, seen from its loop.
    private func watch(_ connection: RPCConnection, _ remains: Remains) async {
        remains.watch(connection, "connection")
        remains.watch(connection.inbox, "inbox")
        await withCheckedContinuation { continuation in
            connection.inbox.submit { inner in
                remains.watch(inner, "client connection")
                remains.watch(inner.session, "session")
                remains.watch(inner.http2, "handler")
                remains.watch(inner.status, "status")
                continuation.resume()
            }
        }
    }

    private func watch(_ call: ClientCall, _ remains: Remains) {
        guard case .direct(let attempt) = call.kind else { return }
        remains.watch(attempt.call, "stream")
        remains.watch(attempt.state, "state")
    }

    private static let methods: [String: RPCHandler] = [
        "Echo": .unary { _, request in UnaryResponse(request) },
        "Refuse": .unary { _, _ in throw RPCError(.resourceExhausted, "no") },
        "Hold": .stream { _, _, responses in
            try await responses.write(Payload("held"))
            try await Task.sleep(for: .seconds(600))
        },
        "Many": .stream { _, _, responses in
            for _ in 0..<1000 { try await responses.write(Payload(ByteBuffer(repeating: 7, count: 100))) }
        },
    ]

    /// How a connection's life ends.
    enum Ending: String, CaseIterable {
        case close, drain, cancelled, failed, abandoned, unread
    }

    private func live(_ ending: Ending, _ server: RPCServer, _ client: ClientConfiguration, _ remains: Remains)
        async throws
    {
        let connection = try await RPCConnection.connect(
            to: server.address, configuration: client, group: Loopback.group, logger: Loopback.logger)
        await watch(connection, remains)
        defer { connection.close() }
        let path = "/test.Service/"
        switch ending {
        case .close: _ = try await connection.unary(path + "Echo", Payload("x"))
        case .drain:
            _ = try await connection.unary(path + "Echo", Payload("x"))
            connection.drain()
            _ = await connection.closed()
        case .failed:
            #expect(await failure { _ = try await connection.unary(path + "Refuse", Payload("x")) } != nil)
        case .cancelled:
            let call = try await connection.open(path + "Hold")
            watch(call, remains)
            var responses = call.responses.makeAsyncIterator()
            _ = try await responses.next()
            call.cancel()
        case .abandoned:
            // The connection ends while it runs, and nobody waits for it.
            let call = try await connection.open(path + "Hold")
            watch(call, remains)
            var responses = call.responses.makeAsyncIterator()
            _ = try await responses.next()
        case .unread:
            // It ends while most of an answer lies behind a full queue, of which nobody takes more.
            let call = try await connection.open(path + "Many")
            call.finishSending()
            watch(call, remains)
            var responses = call.responses.makeAsyncIterator()
            _ = try await responses.next()
            _ = try await connection.unary(path + "Echo", Payload("x"))
        }
    }

    @Test(arguments: Ending.allCases)
    func nothingIsLeftOfConnectionsThatEnd(_ ending: Ending) async throws {
        let remains = Remains()
        try await Loopback.serving(Self.methods) { server in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<4 {
                    tasks.addTask { for _ in 0..<25 { try await live(ending, server, .patient, remains) } }
                }
                try await tasks.waitForAll()
            }
            #expect(remains.count >= 600)
            let areGone = try await remains.areGone()
            #expect(areGone, "\(remains.left)")
        }
    }

    @Test func nothingIsLeftOfConnectionsWithTLS() async throws {
        let files = try await TLSFixture.make()
        let remains = Remains()
        try await Loopback.serving(Self.methods, server: files.server()) { server in
            for _ in 0..<50 { try await live(.close, server, files.client(), remains) }
            #expect(remains.count >= 300)
            let areGone = try await remains.areGone()
            #expect(areGone, "\(remains.left)")
        }
    }

    /// Of drains that end by themselves, and of those that cut what still runs.
    @Test(arguments: [Duration.zero, .milliseconds(50)])
    func nothingIsLeftOfConnectionsWhoseServerGoesAway(_ patience: Duration) async throws {
        var configuration = ServerConfiguration()
        configuration.drainTimeout = patience
        let remains = Remains()
        for _ in 0..<10 {
            let server = try await RPCServer.bind(
                host: "127.0.0.1", port: 0, configuration: configuration,
                services: [TableService(methods: Self.methods)], group: Loopback.group, logger: Loopback.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await server.run() }
                var connections: [RPCConnection] = []
                for _ in 0..<5 {
                    let connection = try await RPCConnection.connect(
                        to: server.address, configuration: .patient, group: Loopback.group, logger: Loopback.logger)
                    connections.append(connection)
                    await watch(connection, remains)
                    let call = try await connection.open("/test.Service/Hold")
                    watch(call, remains)
                    var responses = call.responses.makeAsyncIterator()
                    _ = try await responses.next()
                }
                server.drain()
                for connection in connections { _ = await connection.closed() }
                try await tasks.waitForAll()
            }
        }
        #expect(remains.count >= 400)
        let areGone = try await remains.areGone()
        #expect(areGone, "\(remains.left)")
    }

    /// They never were connections, so no caller can be asked; the sessions of the process are counted instead, of which
    /// other tests have a few.
    @Test func nothingIsLeftOfConnectionsThatWereRefused() async throws {
        // Of a service that nobody offers any more; a port that was free a moment ago may be another test's by now.
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        // One that takes the connection and says nothing, and one that ends it at once.
        let silent = try await ServerBootstrap(group: Loopback.group).bind(host: "127.0.0.1", port: 0).get()
        let closing = try await ServerBootstrap(group: Loopback.group)
            .childChannelInitializer { $0.close() }.bind(host: "127.0.0.1", port: 0).get()
        var impatient = ClientConfiguration()
        impatient.connectTimeout = .milliseconds(20)
        let before = Session.count
        for (address, client) in [
            (address, .patient), (try #require(silent.localAddress), impatient),
            (try #require(closing.localAddress), ClientConfiguration.patient),
        ] {
            for _ in 0..<150 {
                let error = await failure {
                    _ = try await RPCConnection.connect(
                        to: address, configuration: client, group: Loopback.group, logger: Loopback.logger)
                }
                #expect(error?.neverStarted == true)
            }
        }
        for _ in 0..<1000 where Session.count > before + 100 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(Session.count <= before + 100)
        try await silent.close()
        try await closing.close()
    }
}
