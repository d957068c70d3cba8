import HTTP2
import NIOCore
import NIOPosix
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct UnsentShareTests {
    private static let free = UnsentShare.freeBytes
    private static let step = UnsentShare.stepBytes

    @Test func onlyWhatIsMoreThanLittleCounts() {
        let server = FairPool(limit: 100 * Self.step, share: 1)
        var share = UnsentShare(server, FairPool.Account())
        var isHeld = share.hold(Self.free)
        #expect(isHeld)
        #expect(server.count == 0)
        isHeld = share.hold(Self.free + 1)
        #expect(isHeld)
        #expect(server.count == Self.step)
        isHeld = share.hold(Self.free + 10 * Self.step - 1)
        #expect(isHeld)
        #expect(server.count == 10 * Self.step)
        // No more is kept than a step or two.
        share.fit(Self.free + 8 * Self.step)
        #expect(server.count == 10 * Self.step)
        share.fit(Self.free + 5 * Self.step)
        #expect(server.count == 6 * Self.step)
        share.fit(Self.free)
        #expect(server.count == 0)
    }

    @Test func whatIsRefusedCountsForNothing() {
        let server = FairPool(limit: 8 * Self.step, share: 0.5)
        let account = FairPool.Account()
        var (one, other) = (UnsentShare(server, account), UnsentShare(server, account))
        var isHeld = one.hold(Self.free + 3 * Self.step)
        #expect(isHeld)
        #expect(server.count == 4 * Self.step)
        isHeld = other.hold(Self.free + 1)
        #expect(!isHeld)
        #expect(server.count == 4 * Self.step)
        isHeld = other.hold(Self.free)
        #expect(isHeld)
        // Another address has a share of the rest.
        var stranger = UnsentShare(server, FairPool.Account())
        isHeld = stranger.hold(Self.free + 2 * Self.step)
        #expect(isHeld)
        one.leave()
        stranger.leave()
        #expect(server.count == 0 && account.count == 0)
    }

    @Test func whereNoStepIsLeftNothingMoreBegins() {
        let server = FairPool(limit: 4 * Self.step, share: 0.5)
        let account = FairPool.Account()
        var (one, other) = (UnsentShare(server, account), UnsentShare(server, account))
        #expect(one.hasRoom(beside: 0))
        var isHeld = one.hold(Self.free + Self.step)
        #expect(isHeld)
        // It has two steps, and uses one.
        #expect(one.hasRoom(beside: Self.free + Self.step))
        #expect(!one.hasRoom(beside: Self.free + Self.step + 1))
        // Small answers of others of its address have a place, and another address has a share.
        #expect(other.hasRoom(beside: Self.free))
        #expect(!other.hasRoom(beside: Self.free + 1))
        #expect(UnsentShare(server, FairPool.Account()).hasRoom(beside: Self.free + 1))
        one.leave()
        #expect(other.hasRoom(beside: Self.free + 1))
        isHeld = other.hold(Self.free + 1)
        #expect(isHeld)
        other.leave()
        #expect(server.count == 0)
    }

    private struct Ends: ServerInterceptor {
        let well = Counter()
        let refused = Counter()

        func hooks(for method: MethodDescription) -> CallHooks {
            CallHooks(finished: { [well, refused] _, report in
                if report.error == nil { well.add() } else { refused.add() }
            })
        }
    }

    /// However many connections it has.
    @Test func theAnswersToAnAddressThatWaitAreBounded() async throws {
        var server = ServerConfiguration()
        // Of which an address has half: two of the answers below, less what does not count of each.
        server.maxServerUnsentBytes = 1 << 20
        let methods: [String: RPCHandler] = [
            "Write": .stream { _, _, responses in
                try await responses.write(Payload(ByteBuffer(repeating: 1, count: 200_000)))
            }
        ]
        let ends = Ends()
        try await Loopback.serving(methods, interceptors: [ends], server: server) { server in
            func open(from source: String) async throws -> RawLink.Call {
                var windows = SessionSettings()
                windows.initialStreamWindowBytes = 100
                return try await RawLink.open(
                    server.address, "/test.Service/Write", body: ByteBuffer(), settings: windows, from: source)
            }
            func untilAnswered(_ count: Int) async throws {
                while ends.well.value < count { try await Task.sleep(for: .milliseconds(1)) }
            }
            let first = try await open(from: "127.0.0.1")
            try await untilAnswered(1)
            let second = try await open(from: "127.0.0.1")
            try await untilAnswered(2)
            let third = try await open(from: "127.0.0.1")
            #expect(try await third.answer.get()["grpc-status"] == "8")
            #expect(ends.refused.value == 1)
            // Those before it wait, and leave room for others.
            let other = try await open(from: "127.0.0.2")
            try await untilAnswered(3)
            for call in [first, second, third, other] { call.channel.close(promise: nil) }
        }
    }

    /// Calls `/test.Service/Fill`, of whose answer it takes next to nothing, and then a method with a whole request on the
    /// same connection.
    private final class Filler: HTTP2Delegate {
        private let session: Session
        private let path: String
        private var isFull = false
        private var answer: [String: String] = [:]
        private let answered: EventLoopPromise<[String: String]>

        static func ask(_ path: String, of address: SocketAddress) async throws -> [String: String] {
            let (channel, answer) = try await ClientBootstrap(group: Loopback.group).connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    var settings = SessionSettings()
                    settings.initialStreamWindowBytes = 100
                    let session = try Session(role: .client, settings: settings)
                    let answered = channel.eventLoop.makePromise(of: [String: String].self)
                    try channel.pipeline.syncOperations.addHandler(
                        HTTP2Handler(
                            session: session, delegate: Filler(session, path, answered),
                            handshakeTimeout: .seconds(60)))
                    return (channel, answered.futureResult)
                }
            }
            defer { channel.close(promise: nil) }
            return try await answer.get()
        }

        private init(_ session: Session, _ path: String, _ answered: EventLoopPromise<[String: String]>) {
            self.session = session
            self.path = path
            self.answered = answered
        }

        func received(_ event: SessionEvent) {
            switch event {
            case .settings where !isFull: call("/test.Service/Fill")
            case .headers(1, _, _) where !isFull:
                isFull = true
                call(path)
            case .headers(3, let fields, _): for field in fields { answer[field.name] = field.value }
            case .closed(3, _): answered.succeed(answer)
            default: break
            }
        }

        private func call(_ path: String) {
            guard let stream = try? session.request(RawClient.head(path)) else { return }
            session.send(stream: stream, MessageReaderTests.prefix(0))
            session.finish(stream: stream)
        }

        func received(stream: Int32, data: ByteBuffer) {}

        func ended(_ reason: (any Error)?) { answered.fail(reason ?? ChannelError.eof) }
    }

    /// It would have worked for nothing.
    @Test(arguments: ["Later", "Now"]) func whereNothingMoreMayWaitNoHandlerBegins(_ method: String) async throws {
        var server = ServerConfiguration()
        // Of which an address has half: the answer that fills it takes a step.
        server.maxServerUnsentBytes = 3 * Self.step
        let begun = Counter()
        let methods: [String: RPCHandler] = [
            "Fill": .unary { _, _ in UnaryResponse(Payload(ByteBuffer(repeating: 1, count: 100_000))) },
            "Later": .unary { _, request in
                begun.add()
                return UnaryResponse(request)
            },
            "Now": .immediate { _, request in
                begun.add()
                return UnaryResponse(request)
            },
        ]
        try await Loopback.serving(methods, server: server) { server in
            let answer = try await Filler.ask("/test.Service/\(method)", of: server.address)
            #expect(answer["grpc-status"] == "8")
            #expect(answer["grpc-message"]?.contains("bytes of answers to this address wait to be sent") == true)
            #expect(begun.value == 0)
        }
    }
}
