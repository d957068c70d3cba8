import NIOCore
import Synchronization
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct HandlerPlacesTests {
    @Test func aConnectionTakesMoreTheMoreItRuns() {
        let server = FairPool(limit: 1000, share: 1)
        var places = HandlerPlaces(server, FairPool.Account())
        let begun = (0..<100).map { _ in places.begin() }
        #expect(!begun.contains(false))
        #expect((100...150).contains(server.count))
        for left in (0..<100).reversed() {
            places.end()
            #expect((max(1, left)...max(1, 2 * left)).contains(server.count))
        }
        places.leave()
        #expect(server.count == 0)
    }

    @Test func theLastPlaceIsReached() {
        let server = FairPool(limit: 10, share: 1)
        var one = HandlerPlaces(server, FairPool.Account())
        var other = HandlerPlaces(server, FairPool.Account())
        let begun = (0..<9).map { _ in one.begin() } + [other.begin()]
        #expect(!begun.contains(false))
        let refused = [other.begin(), one.begin()]
        #expect(refused == [false, false])
        other.end()
        other.leave()
        let hasPlace = one.begin()
        #expect(hasPlace)
        #expect(server.count == 10)
    }

    /// The connections together, whoever they belong to.
    @Test func aServerRunsSoManyHandlers() async throws {
        var server = ServerConfiguration()
        server.maxServerHandlers = 2
        server.addressShare = 1
        let leave = Signal()
        let begun = Counter()
        let methods: [String: RPCHandler] = [
            "Stay": .stream { _, _, _ in
                begun.add()
                await leave.wait()
            },
            "Echo": .unary { _, request in UnaryResponse(request) },
        ]
        try await Loopback.with(methods, server: server) { loopback in
            let calls = [
                try await loopback.connection.open(loopback.path("Stay")),
                try await loopback.connection.open(loopback.path("Stay")),
            ]
            for method in ["Echo", "Stay"] {
                let error = await failure { _ = try await loopback.unary(method) }
                #expect(error?.code == .resourceExhausted)
                #expect(error?.message == "the server runs 2 handlers")
            }
            leave.fire()
            for call in calls { _ = try await collect(call.responses) }
            #expect(begun.value == 2)
            try await loopback.expect("a", from: "Echo", "a")
        }
    }

    /// However many connections one has, another one has its calls served.
    @Test func anAddressRunsOnlyItsShareOfThem() async throws {
        var server = ServerConfiguration()
        server.maxServerHandlers = 8
        let leave = Signal()
        let stay: RPCHandler = .stream { _, _, _ in await leave.wait() }
        let answer: RPCHandler = .stream { _, _, responses in try await responses.write(Payload("here")) }
        try await Loopback.with(["Stay": stay, "Answer": answer], server: server) { loopback in
            let address = loopback.server.address
            var calls: [ClientCall] = []
            var refusal: RPCError?
            while refusal == nil, calls.count < 8 {
                let call = try await loopback.connection.open(loopback.path("Stay"))
                // It has its place, or is refused, before the other one begins.
                refusal = await failure { _ = try await loopback.unary("Answer") }
                calls.append(call)
            }
            #expect(refusal?.code == .resourceExhausted)
            #expect(refusal?.message == "the server runs 4 handlers for this address")
            let other = try await RawLink.open(
                address, loopback.path("Answer"), body: ByteBuffer(), from: "127.0.0.2")
            let status = try await other.answer.get()["grpc-status"]
            #expect(status == "0")
            other.channel.close(promise: nil)
            leave.fire()
            for call in calls { call.cancel() }
        }
    }

    @Test func aWatchCountsBeforeItSaysOfWhat() async throws {
        let health = HealthService()
        try await Loopback.serving([:], services: [health]) { server in
            let call = try await RawLink.open(
                server.address, "/grpc.health.v1.Health/Watch", body: ByteBuffer(bytes: [0]))
            while health.watcherCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
            call.channel.close(promise: nil)
            while health.watcherCount > 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }
}
