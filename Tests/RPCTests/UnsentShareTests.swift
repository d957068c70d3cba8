import HTTP2
import NIOCore
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
}
