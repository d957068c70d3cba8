import HTTP2
import NIOCore
import Synchronization
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(3))) struct ClientInterceptorTests {
    /// Adds its name to `x-seen` on the way out, and to its diary on the way back.
    private struct Named: ClientInterceptor {
        let name: String
        let diary: Diary

        func prepare(_ call: inout OutgoingCall) async throws { call.options.metadata.add("x-seen", name) }

        func unary(_ call: OutgoingCall, _ request: Payload, next: UnaryNext) async throws -> ChannelResponse {
            var call = call
            try await prepare(&call)
            defer { diary.write(name) }
            return try await next(call, request)
        }
    }

    private final class Diary: Sendable {
        private let state = Mutex<[String]>([])
        var lines: [String] { state.withLock { $0 } }
        func write(_ line: String) { state.withLock { $0.append(line) } }
    }

    private static let methods: [String: RPCHandler] = [
        "Ask": .unary { context, _ in UnaryResponse(Payload(seen(context))) },
        "Stream": .stream { context, _, responses in try await responses.write(Payload(seen(context))) },
    ]

    private static func seen(_ context: CallContext) -> String {
        context.metadata.compactMap { key, value in
            if case .ascii(let text) = value, key == "x-seen" || key == "authorization" { text } else { nil }
        }.joined(separator: ",")
    }

    private func with(
        _ interceptors: [any ClientInterceptor], _ body: (RPCChannel) async throws -> Void
    ) async throws {
        try await Loopback.serving(Self.methods) { server in
            try await RPCChannel.with(
                "127.0.0.1:\(server.address.port ?? 0)", configure: { $0.interceptors = interceptors }, body)
        }
    }

    @Test func theFirstIsOutermost() async throws {
        let diary = Diary()
        try await with([Named(name: "a", diary: diary), Named(name: "b", diary: diary)]) { channel async throws in
            #expect(try await channel.ask() == "a,b")
            #expect(diary.lines == ["b", "a"])
            let call = try await channel.open("/test.Service/Stream")
            #expect(try await collect(call.responses) == ["a,b"])
        }
    }

    @Test func oneMayAnswerOrRefuseByItself() async throws {
        struct Cache: ClientInterceptor {
            func unary(_ call: OutgoingCall, _ request: Payload, next: UnaryNext) async throws -> ChannelResponse {
                guard call.path != "/test.Service/Known" else {
                    return ChannelResponse(
                        response: UnaryResponse(Payload("cached")), endpoint: "here", retries: 0)
                }
                throw RPCError(.permissionDenied, "not for you")
            }
        }
        try await with([Cache()]) { channel async throws in
            #expect(try await channel.ask("Known") == "cached")
            #expect(await failure { _ = try await channel.ask() }?.code == .permissionDenied)
        }
    }

    @Test func oneCallIsSeenOnceHoweverOftenItIsTried() async throws {
        let diary = Diary()
        try await RawServer.with {
            $0.number < 3 ? .status(.unavailable) : .answer("there")
        } _: {
            server, address async throws in
            try await RPCChannel.with(
                address, .retry(.quick()), configure: { $0.interceptors = [Named(name: "a", diary: diary)] }
            ) { channel async throws in
                let response = try await channel.call("/a/b", Payload(""))
                #expect(response.retries == 2)
                #expect(response.endpoint == address)
                #expect(diary.lines == ["a"])
                #expect(server.calls.map { call in call.head.count { $0.name == "x-seen" } } == [1, 1, 1])
            }
        }
    }

    @Test func theEndOfAStreamIsHeardOf() async throws {
        struct Watching: ClientInterceptor {
            let ended: @Sendable (RPCError?) -> Void
            func open(_ call: OutgoingCall, next: OpenNext) async throws -> ClientCall {
                let call = try await next(call)
                call.onEnd(ended)
                return call
            }
        }
        let ends = AsyncStream.makeStream(of: StatusCode.self)
        try await with([Watching { ends.continuation.yield($0?.code ?? .ok) }]) { channel async throws in
            var iterator = ends.stream.makeAsyncIterator()
            let good = try await channel.open("/test.Service/Stream")
            #expect(try await collect(good.responses).count == 1)
            #expect(await iterator.next() == .ok)
            let bad = try await channel.open("/test.Service/Nothing")
            #expect(await failure { _ = try await collect(bad.responses) }?.code == .unimplemented)
            #expect(await iterator.next() == .unimplemented)
        }
    }

    // ---- tokens ----

    @Test func eachCallAsksForItsToken() async throws {
        let count = Counter()
        let token = BearerTokenInterceptor {
            count.add()
            return "token-\(count.value)"
        }
        try await with([token]) { channel async throws in
            #expect(try await channel.ask() == "Bearer token-1")
            #expect(try await channel.ask() == "Bearer token-2")
        }
    }

    @Test func withoutATokenNothingIsSent() async throws {
        try await RawServer.with { _ in
            .answer("")
        } _: { server, address async throws in
            for token in ["two\nlines", "tökén"] {
                try await RPCChannel.with(
                    address, configure: { $0.interceptors = [BearerTokenInterceptor { token }] }
                ) { channel async throws in
                    #expect(await failure { _ = try await channel.ask() }?.code == .unauthenticated)
                }
            }
            let failing = BearerTokenInterceptor { throw RPCError(.unavailable, "no issuer") }
            try await RPCChannel.with(address, configure: { $0.interceptors = [failing] }) { channel async throws in
                #expect(await failure { _ = try await channel.ask() }?.message == "no issuer")
            }
            #expect(server.calls.isEmpty)
        }
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.8.8.8", true), ("::1", true), ("::ffff:127.0.0.1", true), ("10.0.0.7", false),
        ("192.168.1.1", false), ("::ffff:10.0.0.7", false), ("fe80::1", false),
    ])
    func onlyThisHostIsPrivateWithoutTLS(_ ip: String, _ isPrivate: Bool) throws {
        #expect(try SocketAddress(ipAddress: ip, port: 1).isThisHost == isPrivate)
    }

    @Test func aTokenIsNotSentInPlaintextToAnotherHost() async throws {
        // An address of this machine that is not its loopback stands for another host.
        let devices = try System.enumerateDevices()
        guard
            let own = devices.lazy.compactMap(\.address).first(where: {
                $0.protocol == .inet && !$0.isThisHost
            })?.ipAddress
        else { return }
        let server = try await RPCServer.bind(
            host: "0.0.0.0", port: 0, services: [TableService(methods: Self.methods)], group: Loopback.group,
            logger: Loopback.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            let address = "\(own):\(server.address.port ?? 0)"
            for (allows, answer) in [(false, nil), (true, "Bearer t")] as [(Bool, String?)] {
                let token = BearerTokenInterceptor(allowsPlaintext: allows) { "t" }
                try await RPCChannel.with(address, configure: { $0.interceptors = [token] }) { channel async throws in
                    if let answer {
                        #expect(try await channel.ask() == answer)
                    } else {
                        let error = await failure { _ = try await channel.ask() }
                        #expect(error?.code == .unauthenticated)
                        let stream = await failure { _ = try await channel.open("/test.Service/Stream") }
                        #expect(stream?.code == .unauthenticated)
                    }
                }
            }
            tasks.cancelAll()
        }
    }
}
