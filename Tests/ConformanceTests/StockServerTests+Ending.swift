import Glibc
import Mesh
import NIOCore
import RPC
import TestSupport
import Testing

/// The end of a connection.
extension StockServerTests {
    @Test func aRunningCallIsFinishedWhenTheServerDrains() async throws {
        try await StockServer.with { stock async throws in
            let call = try await stock.open("Chat")
            var responses = call.responses.makeAsyncIterator()
            try await call.send("before")
            #expect(try await responses.next()?.message == ByteBuffer(string: "before"))
            try stock.process.write(line: "stop")
            while stock.connection.isUsable { try await Task.sleep(for: .milliseconds(5)) }
            let error = await #expect(throws: RPCError.self) { try await stock.unary("Echo", "new") }
            #expect(error?.code == .unavailable)
            #expect(error?.neverStarted == true)
            for index in 0..<10 {
                try await call.send("\(index)")
                #expect(try await responses.next()?.message == ByteBuffer(string: "\(index)"))
            }
            call.finishSending()
            #expect(try await responses.next() == nil)
            _ = await stock.connection.closed()
            _ = try await stock.process.line(startingWith: "stopped", within: .seconds(180))
        }
    }

    @Test func aRunningCallIsFinishedWhenWeDrain() async throws {
        try await StockServer.with { stock async throws in
            let call = try await stock.open("Chat")
            var responses = call.responses.makeAsyncIterator()
            try await call.send("before")
            #expect(try await responses.next()?.message == ByteBuffer(string: "before"))
            stock.connection.drain()
            let error = await #expect(throws: RPCError.self) { try await stock.unary("Echo", "new") }
            #expect(error?.code == .unavailable)
            #expect(error?.neverStarted == true)
            try await call.send("after")
            #expect(try await responses.next()?.message == ByteBuffer(string: "after"))
            call.finishSending()
            #expect(try await responses.next() == nil)
            _ = await stock.connection.closed()
        }
    }

    /// A server that tells each connection to go away after a while, and then goes on serving.
    @Test(.timeLimit(.minutes(5))) func connectionsThatAreToldToGoAwayCostNoCall() async throws {
        try await StockServer.with("grpc.max_connection_age_ms=300") { stock async throws in
            let channel = BalancedChannel(
                target: try Target(parsing: stock.address.endpointName), healthService: "", group: OurServer.group,
                logger: OurServer.logger)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { await channel.run() }
                var peers: Set<String> = []
                while peers.count < 5 {
                    let response = try await channel.call(
                        StockServer.path + "Peer", Payload(ByteBuffer()),
                        options: .init(deadline: .after(.seconds(120))))
                    peers.insert(String(buffer: response.response.payload.message))
                }
                #expect(channel.endpoints().map(\.failures) == [0])
                tasks.cancelAll()
            }
        }
    }

    @Test func aKilledServerIsALostConnection() async throws {
        try await StockServer.with { stock async throws in
            let call = try await stock.open("Chat")
            var responses = call.responses.makeAsyncIterator()
            try await call.send("before")
            #expect(try await responses.next()?.message == ByteBuffer(string: "before"))
            stock.process.signal(SIGKILL)
            let error = await #expect(throws: RPCError.self) { try await responses.next() }
            #expect(error?.code == .unavailable)
            #expect(error?.lostConnection == true)
            _ = await stock.connection.closed()
            #expect(!stock.connection.isUsable)
        }
    }
}
