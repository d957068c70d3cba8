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
        "compressed-unasked": [.internal], "end-inside-a-message": [.internal], "data-before-head": [.internal, .unavailable],
        "endless-answer": [.internal, .resourceExhausted],
        "empty-message-flood": [.internal, .resourceExhausted],
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
    static let budget = MemoryBudget(limit: 64 << 20)
    static let deadline = Duration.seconds(20)

    /// - Returns: how a call to the server on `port` ends.
    static func call(_ port: Int, within limit: Duration) async -> RPCError? {
        var configuration = ClientConfiguration()
        configuration.connectTimeout = .seconds(5)
        do {
            let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
            let connection = try await RPCConnection.connect(
                to: address, configuration: configuration, budget: budget, group: group, logger: Logger(label: "test"))
            defer { connection.close() }
            _ = try await connection.unary(
                "/test.Target/Echo", Payload(ByteBuffer(string: "hello")),
                options: CallOptions(deadline: .after(limit)))
            return nil
        } catch {
            return error as? RPCError ?? RPCError(.dataLoss, "\(error)")
        }
    }

    @Test func everyCallEndsSoonWithACodeThatFits() async throws {
        let servers = try ChildProcess(
            Injector.interpreter, [Injector.folder.appending(path: "hostile_server.py").path], input: .open)
        _ = try await servers.line(startingWith: "ready")
        var ports: [String: Int] = [:]
        for name in Self.endings.keys { ports[name] = Int(try await servers.line(startingWith: name + " ")) }
        for name in Self.endings.keys.sorted() {
            let port = try #require(ports[name])
            let waits = Self.endings[name] == [.deadlineExceeded]
            let started = ContinuousClock.now
            let error = await Self.call(port, within: waits ? .seconds(1) : Self.deadline)
            let expected = Self.endings[name] ?? []
            #expect(expected.contains(error?.code ?? .ok), "\(name): \(error?.description ?? "OK")")
            #expect(ContinuousClock.now - started < Self.deadline, "\(name) took \(ContinuousClock.now - started)")
        }
        // Nothing is left of any of them, and a good server is served.
        #expect(await Self.call(try #require(ports["good"]), within: Self.deadline) == nil)
        #expect(Self.budget.used == 0)
        servers.closeInput()
        _ = try await servers.finish(within: .seconds(60))
    }
}
