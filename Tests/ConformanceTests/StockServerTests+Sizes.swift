import NIOCore
import RPC
import Testing

/// Large messages, and many calls at once.
extension StockServerTests {
    @Test(arguments: [1 << 20, 5 << 20])
    func largeMessagesComeBackWhole(_ size: Int) async throws {
        try await StockServer.with { stock async throws in
            var random = SystemRandomNumberGenerator()
            let message = ByteBuffer(bytes: (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
            let response = try await stock.connection.unary(
                StockServer.path + "Echo", Payload(message), options: .init(deadline: .after(.seconds(120))))
            #expect(response.payload.message == message)
        }
    }

    @Test func aMessageOverOurLimitIsRefused() async throws {
        try await StockServer.with(configure: { $0.maxMessageBytes = 1000 }) { stock async throws in
            let call = try await stock.open("Repeat")
            try await call.send("1 1001")
            call.finishSending()
            let error = await #expect(throws: RPCError.self) { try await call.responses.collect() }
            #expect(error?.code == .resourceExhausted)
            #expect(error?.message.contains("1001") == true)
            #expect(error?.message.contains("1000") == true)
            #expect(try await stock.unary("Echo", String(repeating: "a", count: 1000)).utf8.count == 1000)
        }
    }

    @Test func aMessageOverTheServersLimitIsRefused() async throws {
        try await StockServer.with("grpc.max_receive_message_length=100000") { stock async throws in
            let error = await #expect(throws: RPCError.self) {
                try await stock.unary("Echo", String(repeating: "a", count: 100_001))
            }
            #expect(error?.code == .resourceExhausted)
            #expect(try await stock.unary("Echo", "still there") == "still there")
        }
    }

    @Test func aHundredStreamsShareTheConnection() async throws {
        try await StockServer.with { stock async throws in
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                for stream in 0..<100 {
                    tasks.addTask {
                        let call = try await stock.open("Chat")
                        var responses = call.responses.makeAsyncIterator()
                        var right = 0
                        for turn in 0..<5 {
                            try await call.send("\(turn) of \(stream)")
                            right +=
                                try await responses.next()?.message == ByteBuffer(string: "\(turn) of \(stream)")
                                ? 1 : 0
                        }
                        call.finishSending()
                        return try await responses.next() == nil ? right : 0
                    }
                }
                for try await right in tasks { #expect(right == 5) }
            }
        }
    }

    /// grpcio 1.85 counts a stream until its write has completed, so at its limit it refuses one now and then, also to
    /// its own client. Then the call must be known to be safe to send elsewhere.
    @Test func aCallIsAnsweredOrSurelyNotBegun() async throws {
        try await StockServer.with("grpc.max_concurrent_streams=3") { stock async throws in
            await withTaskGroup(of: Result<String, any Error>.self) { tasks in
                for index in 0..<60 {
                    tasks.addTask {
                        do { return .success(try await stock.unary("Echo", "\(index)")) } catch {
                            return .failure(error)
                        }
                    }
                }
                var answers: Set<String> = []
                for await result in tasks {
                    switch result {
                    case .success(let answer): answers.insert(answer)
                    case .failure(let error):
                        let error = error as? RPCError
                        #expect(error?.code == .unavailable)
                        #expect(error?.neverStarted == true)
                    }
                }
                #expect(answers.count >= 3)
            }
            // One at a time always fits.
            for index in 0..<20 {
                let answer = try await stock.unary("Echo", "\(index)")
                #expect(answer == "\(index)")
            }
        }
    }
}
