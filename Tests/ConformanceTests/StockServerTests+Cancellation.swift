import NIOCore
import RPC
import Testing

/// Deadlines and cancellation, as both sides see them.
extension StockServerTests {
    @Test func theServerKnowsTheDeadline() async throws {
        try await StockServer.with { stock async throws in
            let left = try #require(Int(try await stock.unary("TimeLeft", "", deadline: .after(.seconds(20)))))
            #expect((1...20_000).contains(left))
            let none = try await stock.connection.unary(StockServer.path + "TimeLeft", Payload(ByteBuffer()))
            #expect(String(buffer: none.payload.message) == "none")
        }
    }

    @Test func aCallEndsAtItsDeadlineOnBothSides() async throws {
        try await StockServer.with { stock async throws in
            let error = await #expect(throws: RPCError.self) {
                try await stock.unary("Wait", "", deadline: .after(.milliseconds(300)))
            }
            #expect(error?.code == .deadlineExceeded)
            #expect(try await stock.unary("Await", "cancelled 1") == "1")
        }
    }

    @Test func cancellingATaskCancelsItsCallAtTheServer() async throws {
        try await StockServer.with { stock async throws in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for _ in 0..<3 {
                    tasks.addTask {
                        let error = await #expect(throws: RPCError.self) { try await stock.unary("Wait", "") }
                        #expect(error?.code == .cancelled)
                    }
                }
                #expect(try await stock.unary("Await", "waiting 3") == "3")
                tasks.cancelAll()
                try await tasks.waitForAll()
            }
            #expect(try await stock.unary("Await", "cancelled 3") == "3")
        }
    }

    @Test func aStreamCanBeCancelledInItsMiddle() async throws {
        try await StockServer.with { stock async throws in
            let call = try await stock.open("Repeat")
            try await call.send("1000000 1000")
            call.finishSending()
            var responses = call.responses.makeAsyncIterator()
            #expect(try await responses.next()?.message.readableBytes == 1000)
            call.cancel()
            let error = await #expect(throws: RPCError.self) { while try await responses.next() != nil {} }
            #expect(error?.code == .cancelled)
            #expect(try await stock.unary("Echo", "still there") == "still there")
        }
    }
}
