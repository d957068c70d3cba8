import Foundation
import Logging
import NIOCore
import NIOPosix
import RPC
import TestSupport
import Testing

/// Servers that behave badly (python/hostile_server.py) against our client: each call ends, soon, with a code that fits.
@Suite(.timeLimit(.minutes(10))) struct HostileClientTests {
    /// What one call to the server of this name ends with.
    static let endings: [String: Set<StatusCode>] = [
        "good": [.ok],
        // They wait for their turn, and then it is late.
        "streams-0": [.deadlineExceeded], "window-0": [.deadlineExceeded],
        // No connection.
        "silent": [.unavailable], "closes": [.unavailable], "http1": [.unavailable], "garbage": [.unavailable],
        "tls-alert": [.unavailable],
        // Heads and trailers.
        "no-status": [.internal], "a-thousand-1xx": [.ok], "no-grpc-status": [.unknown], "no-trailers": [.unknown],
        "html": [.unknown], "http-400": [.internal], "http-401": [.unauthenticated], "http-403": [.permissionDenied],
        "http-404": [.unimplemented], "http-429": [.unavailable], "http-500": [.unknown], "http-502": [.unavailable],
        "http-503": [.unavailable], "http-504": [.unavailable], "http-302": [.unknown],
        "grpc-status-999": [.unknown], "grpc-status-minus": [.unknown], "grpc-status-empty": [.unknown],
        "grpc-status-word": [.unknown], "grpc-status-huge": [.unknown], "bad-percent": [.invalidArgument],
        "long-message": [.invalidArgument], "long-trailers": [.resourceExhausted],
        // Messages.
        "message-over-the-limit": [.resourceExhausted], "two-messages": [.internal], "unknown-flag": [.internal],
        "compressed-unasked": [.internal], "end-inside-a-message": [.internal],
        "data-before-head": [.internal, .unavailable],
        "endless-answer": [.internal, .resourceExhausted],
        "empty-message-flood": [.internal, .resourceExhausted],
        "half-an-answer": [.unavailable], "dripping-answer": [.unavailable],
        "no-status-after-an-answer": [.unavailable],
        // What came whole is kept, whatever follows.
        "data-after-the-end": [.ok], "reset-after-the-end": [.ok], "headers-after-the-end": [.ok],
        "goaway-at-and-answer": [.ok], "answer-to-another-stream": [.ok, .unavailable],
        // Streams and connections that end.
        "push-promise": [.unavailable, .internal], "refused": [.unavailable], "calm-down": [.resourceExhausted],
        "goaway-below": [.unavailable], "even-stream": [.unavailable], "bad-hpack": [.unavailable],
        "frame-too-large": [.unavailable], "window-overflow": [.unavailable], "upper-case": [.internal],
        "header-bomb": [.unavailable, .resourceExhausted], "settings-flood": [.unavailable],
        "ping-flood": [.unavailable], "continuation-flood": [.unavailable], "empty-data-flood": [.unavailable],
    ]

    static let group = MultiThreadedEventLoopGroup.singleton
    static let deadline = Duration.seconds(20)

    /// Where a kind of call ends otherwise.
    static func endings(_ name: String, _ kind: Kind) -> Set<StatusCode> {
        switch (name, kind) {
        // It takes any number of answers.
        case ("two-messages", .stream), ("two-messages", .channelStream): [.ok]
        // A stream may be quiet between its messages.
        case ("no-status-after-an-answer", .stream), ("no-status-after-an-answer", .channelStream): [.deadlineExceeded]
        // Sent once more, to which this server says nothing.
        case ("refused", .channel), ("refused", .channelStream): [.deadlineExceeded]
        default: endings[name] ?? []
        }
    }

    enum Kind: CaseIterable { case unary, stream, channel, channelStream }

    /// - Returns: how a call to the server on `port` ends.
    static func call(_ port: Int, _ kind: Kind, within limit: Duration, _ budget: MemoryBudget) async -> RPCError? {
        var endpoint = EndpointConfiguration()
        endpoint.client.connectTimeout = .seconds(5)
        endpoint.client.answers.grace = .seconds(3)
        let (path, request) = ("/test.Target/Echo", Payload(ByteBuffer(string: "hello")))
        let options = CallOptions(deadline: .after(limit))
        do {
            let channel = try RPCChannel(
                to: "127.0.0.1:\(port)", endpoint: endpoint, budget: budget, group: group,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            defer { channel.close() }
            switch kind {
            case .unary, .stream:
                let connection = try await RPCConnection.connect(
                    to: try SocketAddress(ipAddress: "127.0.0.1", port: port), configuration: endpoint.client,
                    budget: budget, group: group, logger: Logger(label: "test"))
                defer { connection.close() }
                if kind == .unary {
                    _ = try await connection.unary(path, request, options: options)
                } else {
                    try await exchange(try await connection.open(path, options: options), request)
                }
                connection.close()
                _ = await connection.closed()
            case .channel: _ = try await channel.unary(path, request, options: options)
            case .channelStream: try await exchange(try await channel.open(path, options: options), request)
            }
            return nil
        } catch {
            return error as? RPCError ?? RPCError(.dataLoss, "\(error)")
        }
    }

    private static func exchange(_ call: ClientCall, _ request: Payload) async throws {
        try? await call.send(request)
        call.finishSending()
        for try await _ in call.responses {}
    }

    @Test(arguments: Kind.allCases)
    func everyCallEndsSoonWithACodeThatFits(_ kind: Kind) async throws {
        let budget = MemoryBudget(limit: 64 << 20)
        let servers = try ChildProcess(
            Injector.interpreter, [Injector.folder.appending(path: "hostile_server.py").path], input: .open)
        _ = try await servers.line(startingWith: "ready")
        var ports: [String: Int] = [:]
        for name in Self.endings.keys { ports[name] = Int(try await servers.line(startingWith: name + " ")) }
        for name in Self.endings.keys.sorted() {
            let port = try #require(ports[name])
            let expected = Self.endings(name, kind)
            let waits = expected == [.deadlineExceeded]
            let started = ContinuousClock.now
            let error = await Self.call(port, kind, within: waits ? .seconds(1) : Self.deadline, budget)
            #expect(expected.contains(error?.code ?? .ok), "\(name), \(kind): \(error?.description ?? "OK")")
            #expect(ContinuousClock.now - started < Self.deadline, "\(name) took \(ContinuousClock.now - started)")
        }
        // Nothing is left of any of them, and a good server is served.
        #expect(await Self.call(try #require(ports["good"]), kind, within: Self.deadline, budget) == nil)
        #expect(budget.used == 0)
        servers.closeInput()
        _ = try await servers.finish(within: .seconds(60))
    }
}
