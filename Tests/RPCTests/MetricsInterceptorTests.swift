import HTTP2
import MetricsTestKit
import NIOCore
import Testing

@testable import RPC

/// Tells that a call has been reported to all that come after it in the list.
private struct Done: ServerInterceptor {
    let calls = AsyncStream.makeStream(of: Void.self)

    func hooks(for method: MethodDescription) -> CallHooks {
        CallHooks(finished: { [calls] _, _ in calls.continuation.yield() })
    }

    func wait() async {
        var iterator = calls.stream.makeAsyncIterator()
        _ = await iterator.next()
    }
}

@Suite(.timeLimit(.minutes(5))) struct MetricsInterceptorTests {
    private func total(_ metrics: TestMetrics, _ name: String, _ method: String, code: String? = nil) throws -> Int64 {
        let dimensions = [("method", method)] + (code.map { [("code", $0)] } ?? [])
        return try metrics.expectCounter("rpc_server_\(name)_total", dimensions).totalValue
    }

    @Test func callsAreCountedByMethodAndCode() async throws {
        let metrics = TestMetrics()
        let done = Done()
        try await Loopback.with(
            [
                "Echo": .immediate { _, request in UnaryResponse(request) },
                "Bad": .unary { _, _ in throw RPCError(.notFound, "no") },
            ], interceptors: [done, MetricsInterceptor(factory: metrics)]
        ) { loopback in
            for _ in 0..<3 {
                try await loopback.expect("abcd", from: "Echo", "abcd")
                await done.wait()
            }
            for path in [loopback.path("Bad"), "/no/such", "/no/other"] {
                _ = await failure { _ = try await loopback.connection.unary(path, Payload("")) }
                await done.wait()
            }
        }
        #expect(try total(metrics, "calls", "test.Service/Echo", code: "OK") == 3)
        #expect(try total(metrics, "calls", "test.Service/Bad", code: "NOT_FOUND") == 1)
        #expect(try total(metrics, "calls", "test.Service/Bad", code: "OK") == 0)
        #expect(try total(metrics, "calls", "unknown", code: "UNIMPLEMENTED") == 2)
        #expect(try total(metrics, "received_bytes", "test.Service/Echo") == 12)
        #expect(try total(metrics, "sent_messages", "test.Service/Echo") == 3)
        let times = try metrics.expectTimer("rpc_server_call_seconds", [("method", "test.Service/Echo")])
        #expect(times.values.count == 3 && times.values.allSatisfy { $0 > 0 })
    }

    /// Nobody could see else that a client sends what no call can be made of.
    @Test func requestsThatAreNoCallsAreCounted() async throws {
        let metrics = TestMetrics()
        let done = Done()
        var server = ServerConfiguration()
        server.maxMetadataFields = 20
        // Refuses them all: that is not why they fail.
        let auth = AuthInterceptor(credentials: try Credentials(text: ""))
        let interceptors: [any ServerInterceptor] = [done, MetricsInterceptor(factory: metrics), auth]
        try await Loopback.serving([:], interceptors: interceptors, server: server) { server in
            let wrong = [
                [HeaderField("grpc-timeout", "1X")], [HeaderField("x-a-bin", "!!!!")],
                (0..<30).map { HeaderField("x-\($0)", "a") },
            ]
            for fields in wrong {
                _ = try await RawClient.request(
                    to: server.address, RawClient.head("/test.Service/A") + fields, body: ByteBuffer())
                await done.wait()
            }
        }
        #expect(try total(metrics, "calls", "unknown", code: "INTERNAL") == 2)
        #expect(try total(metrics, "calls", "unknown", code: "RESOURCE_EXHAUSTED") == 1)
        #expect(try metrics.expectMeter("rpc_server_calls_in_flight", [("method", "unknown")]).lastValue == 0)
    }

    @Test func whatRunsIsInFlight() async throws {
        let metrics = TestMetrics()
        let done = Done()
        let began = Signal()
        try await Loopback.with(
            [
                "Wait": .stream { _, requests, _ in
                    began.fire()
                    for try await _ in requests {}
                }
            ], interceptors: [done, MetricsInterceptor(factory: metrics)]
        ) { loopback in
            let meter = try metrics.expectMeter("rpc_server_calls_in_flight", [("method", "test.Service/Wait")])
            let call = try await loopback.connection.open(loopback.path("Wait"))
            await began.wait()
            #expect(meter.lastValue == 1)
            call.cancel()
            await done.wait()
            #expect(meter.lastValue == 0)
        }
    }

    @Test func noCallMakesANewSeries() async throws {
        let metrics = TestMetrics()
        let done = Done()
        try await Loopback.with(interceptors: [done, MetricsInterceptor(factory: metrics)]) { loopback in
            let before = metrics.counters.count
            for number in 0..<20 {
                _ = await failure { _ = try await loopback.connection.unary("/a\(number)/b", Payload("")) }
                await done.wait()
            }
            #expect(metrics.counters.count == before)
        }
    }
}
