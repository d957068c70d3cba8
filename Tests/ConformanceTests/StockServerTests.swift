import NIOCore
import RPC
import Testing

/// We call a stock gRPC server (Python, grpcio); its methods are described in python/server.py. Here are calls of
/// the four kinds.
@Suite(.serialized) struct StockServerTests {
    @Test func unaryCallsAreAnswered() async throws {
        try await StockServer.with { stock async throws in
            #expect(try await stock.unary("Echo", "hello") == "hello")
            #expect(try await stock.unary("Echo", "") == "")
            for index in 0..<200 { #expect(try await stock.unary("Echo", "\(index)") == "\(index)") }
        }
    }

    @Test func aClientStreamIsCollected() async throws {
        try await StockServer.with { stock async throws in
            let call = try await stock.open("Collect")
            for size in 0..<100 { try await call.send(Payload(ByteBuffer(repeating: 1, count: size))) }
            call.finishSending()
            #expect(try await call.responses.collect() == [ByteBuffer(string: "100 4950")])

            let empty = try await stock.open("Collect")
            empty.finishSending()
            #expect(try await empty.responses.collect() == [ByteBuffer(string: "0 0")])
        }
    }

    @Test func aServerStreamIsReadToItsEnd() async throws {
        try await StockServer.with { stock async throws in
            let call = try await stock.open("Repeat")
            try await call.send("300 1000")
            call.finishSending()
            let messages = try await call.responses.collect()
            #expect(messages == (0..<300).map { ByteBuffer(repeating: UInt8($0 & 0xff), count: 1000) })
        }
    }

    @Test func aConversationGoesBothWays() async throws {
        try await StockServer.with { stock async throws in
            let call = try await stock.open("Chat")
            var responses = call.responses.makeAsyncIterator()
            for index in 0..<100 {
                try await call.send("\(index)")
                #expect(try await responses.next()?.message == ByteBuffer(string: "\(index)"))
            }
            try await call.send("a")
            try await call.send("b")
            call.finishSending()
            #expect(try await responses.next()?.message == ByteBuffer(string: "a"))
            #expect(try await responses.next()?.message == ByteBuffer(string: "b"))
            #expect(try await responses.next() == nil)
        }
    }

    @Test(arguments: [Compression.gzip, .deflate])
    func compressedRequestsAreRead(_ compression: Compression) async throws {
        try await StockServer.with { stock async throws in
            let options = CallOptions(deadline: .after(.seconds(120)), compression: compression)
            let text = String(repeating: "frames and boxes, ", count: 5000)
            let answer = try await stock.connection.unary(
                StockServer.path + "Echo", Payload(ByteBuffer(string: text)), options: options)
            #expect(String(buffer: answer.payload.message) == text)

            let call = try await stock.connection.open(StockServer.path + "Chat", options: options)
            for compresses in [true, false, true] {
                var message = Payload(ByteBuffer(string: text))
                message.compresses = compresses
                try await call.send(message)
            }
            call.finishSending()
            #expect(try await call.responses.collect() == Array(repeating: ByteBuffer(string: text), count: 3))
        }
    }
}
