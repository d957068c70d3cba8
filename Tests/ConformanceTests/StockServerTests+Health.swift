import RPC
import Testing

/// Its health, once and over time.
extension StockServerTests {
    @Test func healthIsChecked() async throws {
        try await StockServer.with { stock async throws in
            #expect(try await stock.connection.checkHealth() == .serving)
            _ = try await stock.unary("SetHealth", "NOT_SERVING some.Service")
            #expect(try await stock.connection.checkHealth(of: "some.Service") == .notServing)
            let error = await #expect(throws: RPCError.self) { try await stock.connection.checkHealth(of: "no.Such") }
            #expect(error?.code == .notFound)
        }
    }

    @Test func healthIsWatched() async throws {
        try await StockServer.with { stock async throws in
            let watch = try await stock.connection.watchHealth(of: "later.Service")
            var statuses = watch.statuses.makeAsyncIterator()
            #expect(try await statuses.next() == .serviceUnknown)
            for (name, status) in [("SERVING", HealthService.Status.serving), ("NOT_SERVING", .notServing)] {
                _ = try await stock.unary("SetHealth", "\(name) later.Service")
                #expect(try await statuses.next() == status)
            }
            watch.cancel()
            let error = await #expect(throws: RPCError.self) { try await statuses.next() }
            #expect(error?.code == .cancelled)
        }
    }
}
