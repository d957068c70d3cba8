import NIOCore
import RPC
import Testing

/// Metadata and status, both ways.
extension StockServerTests {
    @Test func metadataGoesBothWays() async throws {
        try await StockServer.with { stock async throws in
            var metadata: Metadata = ["x-text": "plain text", "x-many": "1"]
            metadata.add("x-many", "2")
            metadata.add("x-bytes-bin", bytes: [0, 255, 16])
            metadata.add("x-empty-bin", bytes: [])
            metadata.add("x-bytes-bin", bytes: Array(0...255))
            let response = try await stock.connection.unary(
                StockServer.path + "Echo", Payload(ByteBuffer(string: "m")),
                options: .init(metadata: metadata, deadline: .after(.seconds(120))))
            #expect(response.metadata.filter { $0.key.hasPrefix("x-") }.map(\.key) == metadata.map(\.key))
            #expect(response.metadata.filter { $0.key.hasPrefix("x-") }.map(\.value) == metadata.map(\.value))
            #expect(response.trailers.map(\.key) == metadata.map { "trailing-" + $0.key })
            #expect(response.trailers.map(\.value) == metadata.map(\.value))
        }
    }

    @Test func everyStatusArrives() async throws {
        try await StockServer.with { stock async throws in
            for code in 1...16 {
                let error = await #expect(throws: RPCError.self) { try await stock.unary("Fail", "\(code) why") }
                #expect(error?.code == StatusCode(rawValue: code))
                #expect(error?.message == "why")
            }
            let message = "größer als 100 %\n日本語"
            let error = await #expect(throws: RPCError.self) { try await stock.unary("Fail", "9 \(message)") }
            #expect(error?.code == .failedPrecondition)
            #expect(error?.message == message)
            #expect(error?.metadata.bytes("x-reason-bin") == [0, 255])
            #expect(error?.neverStarted == false)
            #expect(error?.lostConnection == false)
        }
    }

    @Test func whatAStatusSaysMoreArrives() async throws {
        try await StockServer.with { stock async throws in
            let error = await #expect(throws: RPCError.self) { try await stock.unary("FailRichly", "5 größe") }
            #expect(error?.richStatus == RichStatus(.notFound, "größe", details: [notThere]))
        }
    }

    @Test func aStatusAfterMessagesArrives() async throws {
        try await StockServer.with { stock async throws in
            let call = try await stock.open("FailLate")
            try await call.send("10 später")
            call.finishSending()
            var responses = call.responses.makeAsyncIterator()
            #expect(try await responses.next()?.message == ByteBuffer(string: "one"))
            let error = await #expect(throws: RPCError.self) { try await responses.next() }
            #expect(error?.code == .aborted)
            #expect(error?.message == "später")
            #expect(call.trailers.bytes("x-reason-bin") == [0, 255])
        }
    }

    @Test func unknownMethodsAreUnimplemented() async throws {
        try await StockServer.with { stock async throws in
            for path in ["/interop.Test/Nothing", "/no.Such/Method"] {
                let error = await #expect(throws: RPCError.self) {
                    try await stock.connection.unary(
                        path, Payload(ByteBuffer()), options: .init(deadline: .after(.seconds(120))))
                }
                #expect(error?.code == .unimplemented)
            }
            #expect(try await stock.unary("Echo", "still there") == "still there")
        }
    }
}
