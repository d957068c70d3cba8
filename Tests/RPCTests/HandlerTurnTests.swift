import HTTP2
import NIOCore
import NIOPosix
import Testing

@testable import RPC

/// Requests that come together begin together, and yet each is a call of its own.
@Suite(.timeLimit(.minutes(5))) struct HandlerTurnTests {
    /// Says whether its task is cancelled.
    private static let quick = RPCHandler.unary { _, _ in UnaryResponse(Payload("cancelled: \(Task.isCancelled)")) }

    @Test func aHandlerThatWaitsHoldsUpNoneBehindIt() async throws {
        let gate = Signal()
        let methods: [String: RPCHandler] = [
            "Quick": Self.quick,
            "Slow": .unary { _, request in
                await gate.wait()
                return UnaryResponse(request)
            },
        ]
        try await Loopback.serving(methods) { server in
            let burst = try await RawBurst.send(to: server.address, ["Quick", "Slow", "Quick", "Slow", "Quick"])
            for index in [0, 2, 4] { #expect(try await burst[index].get() == "cancelled: false, status 0") }
            gate.fire()
            for index in [1, 3] { #expect(try await burst[index].get() == ", status 0") }
        }
    }

    @Test func aHandlerThatCancelsItsTaskCancelsNoOther() async throws {
        let methods: [String: RPCHandler] = [
            "Quick": Self.quick,
            "Cancel": .unary { _, _ in
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return UnaryResponse(Payload("cancelled: \(Task.isCancelled)"))
            },
        ]
        try await Loopback.serving(methods) { server in
            let burst = try await RawBurst.send(to: server.address, ["Quick", "Cancel", "Quick"])
            #expect(try await burst[0].get() == "cancelled: false, status 0")
            #expect(try await burst[1].get() == "cancelled: true, status 0")
            #expect(try await burst[2].get() == "cancelled: false, status 0")
        }
    }

    @Test func aResetBehindItsRequestCancelsTheHandler() async throws {
        let cancelled = Signal()
        let methods: [String: RPCHandler] = [
            "Quick": Self.quick,
            "Hang": .unary { _, request in
                try? await Task.sleep(for: .seconds(600))
                cancelled.fire()
                return UnaryResponse(request)
            },
        ]
        try await Loopback.serving(methods) { server in
            let burst = try await RawBurst.send(to: server.address, ["Quick", "Hang", "Quick"], resetting: 1)
            await cancelled.wait()
            for index in [0, 2] { #expect(try await burst[index].get() == "cancelled: false, status 0") }
        }
    }

    private static var place: String { MultiThreadedEventLoopGroup.currentEventLoop == nil ? "pool" : "loop" }

    @Test(arguments: [(false, "loop, then pool, a child: pool"), (true, "loop, then loop, a child: loop")])
    func aHandlerThatHasWaitedGoesOnWhereItsServerWantsIt(_ keeps: Bool, _ expected: String) async throws {
        var configuration = ServerConfiguration()
        configuration.keepsHandlersOnLoop = keeps
        let methods: [String: RPCHandler] = [
            "Place": .unary { _, _ in
                let first = Self.place
                // A turn of the loop that this holds: it is waited for, whatever other threads do.
                try await MultiThreadedEventLoopGroup.currentEventLoop?.submit {}.get()
                async let child = Self.place
                return UnaryResponse(Payload("\(first), then \(Self.place), a child: \(await child)"))
            }
        ]
        try await Loopback.with(methods, server: configuration) { loopback in
            try await loopback.expect(expected, from: "Place", "")
        }
    }

    @Test func handlersThatEndAtOnceDoNotFillTheServer() async throws {
        var configuration = ServerConfiguration()
        configuration.maxRunningHandlers = 1
        try await Loopback.serving(["Quick": Self.quick], server: configuration) { server in
            let burst = try await RawBurst.send(to: server.address, Array(repeating: "Quick", count: 20))
            for answer in burst { #expect(try await answer.get() == "cancelled: false, status 0") }
        }
    }
}

/// A client that sends several requests in one write.
private final class RawBurst: HTTP2Delegate {
    private let session: Session
    private let methods: [String]
    private let reset: Int?
    private var streams: [Int32] = []
    private var texts: [Int32: String] = [:]
    private let answers: [EventLoopPromise<String>]

    /// - Parameter resetting: the request whose stream is reset right behind it.
    static func send(
        to address: SocketAddress, _ methods: [String], resetting: Int? = nil
    ) async throws -> [EventLoopFuture<String>] {
        try await ClientBootstrap(group: Loopback.group).connect(to: address) { channel in
            channel.eventLoop.makeCompletedFuture {
                let session = try Session(role: .client)
                let burst = RawBurst(session, methods, resetting, channel.eventLoop)
                try channel.pipeline.syncOperations.addHandler(
                    HTTP2Handler(session: session, delegate: burst, handshakeTimeout: .seconds(60)))
                return burst.answers.map(\.futureResult)
            }
        }
    }

    private init(_ session: Session, _ methods: [String], _ reset: Int?, _ loop: any EventLoop) {
        self.session = session
        self.methods = methods
        self.reset = reset
        answers = methods.map { _ in loop.makePromise() }
    }

    private func start() {
        let body = ByteBuffer(bytes: [0, 0, 0, 0, 0])
        for method in methods {
            guard let stream = try? session.request(RawClient.head("/test.Service/\(method)")) else { return }
            session.send(stream: stream, body)
            session.finish(stream: stream)
            streams.append(stream)
        }
    }

    func received(_ event: SessionEvent) {
        switch event {
        case .settings where streams.isEmpty: start()
        case .sent(let stream, _):
            if let reset, streams[reset] == stream { session.reset(stream: stream, code: .cancel) }
        case .headers(let stream, let fields, endStream: true):
            texts[stream, default: ""] += ", status \(fields.first { $0.name == "grpc-status" }?.value ?? "-")"
        case .closed(let stream, _):
            if let index = streams.firstIndex(of: stream) { answers[index].succeed(texts[stream] ?? "reset") }
        default: break
        }
    }

    func received(stream: Int32, data: ByteBuffer) {
        texts[stream, default: ""] += String(buffer: data).dropFirst(5)
    }

    func ended(_ reason: (any Error)?) { for answer in answers { answer.fail(reason ?? ChannelError.eof) } }
}
