import NIOCore
import Synchronization
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct HandlerPlacesTests {
    @Test func aConnectionTakesMoreTheMoreItRuns() {
        let server = ServerPlaces(limit: 1000)
        var places = HandlerPlaces(server)
        let begun = (0..<100).map { _ in places.begin() }
        #expect(!begun.contains(false))
        #expect((100...150).contains(server.count))
        for _ in 0..<99 { places.end() }
        #expect(server.count <= 8)
        places.end()
        #expect(server.count == 1)
        places.leave()
        #expect(server.count == 0)
    }

    @Test func theLastPlaceIsReached() {
        let server = ServerPlaces(limit: 10)
        var (one, other) = (HandlerPlaces(server), HandlerPlaces(server))
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
