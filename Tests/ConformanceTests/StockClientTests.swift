import RPC
import TestSupport
import Testing

/// A stock gRPC client (Python, grpcio) calls our server, one at a time: a process each. What is checked, and how, is in python/client.py.
@Suite(.serialized) struct StockClientTests {
    @Test(arguments: [
        "unary", "client_stream", "server_stream", "bidirectional", "metadata", "status", "rich_status",
        "status_after_messages",
        "unimplemented", "deadline", "cancellation", "large", "too_large_for_the_server", "too_large_for_the_client",
        "hundred_streams", "health_check", "health_watch", "health_list", "reflection",
        "reflection_requests", "detector", "vision",
    ])
    func aStockClientIsSatisfied(_ check: String) async throws {
        try await OurServer.with { ours in
            let client = try PythonScript.start("client.py", ["\(ours.port)", check])
            let result = try await client.finish(within: .seconds(300))
            #expect(result.code == 0, "\(check) failed: \(result.errors)")
            #expect(result.output.hasPrefix("ok \(check) "))
        }
    }

    @Test func aRunningCallIsFinishedWhenTheServerDrains() async throws {
        try await OurServer.with { ours in
            let client = try PythonScript.start("client.py", ["\(ours.port)", "drained"])
            _ = try await client.line(startingWith: "chatting")
            ours.server.drain()
            try client.write(line: "draining")
            let result = try await client.finish(within: .seconds(300))
            #expect(result.code == 0, "\(result.errors)")
            #expect(result.output.contains("ok drained "))
        }
    }
}
