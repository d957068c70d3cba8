import Glibc
import Mesh
import Messages
import NIOCore
import RPC
import Services
import TestSupport
import Testing

/// We call a stock gRPC server (Python, grpcio); its methods are described in python/server.py.
@Suite(.serialized) struct StockServerTests {
    // ---- the four kinds ----

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

    // ---- metadata and status ----

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

    // ---- deadlines and cancellation ----

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

    // ---- sizes and numbers ----

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

    // ---- health ----

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

    // ---- the end of a connection ----

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

    // ---- framemesh.v1 ----

    @Test(arguments: [0, 1, 1000, 5_000_000])
    func aStockDetectorSeesThePixelsInTheirField(_ size: Int) async throws {
        try await StockServer.with { stock async throws in
            let pixels = ByteBuffer(bytes: (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) })
            let frame = Frame(
                stream: "north", sequence: 9, captureTime: -5, encoding: .bgr8, width: 640, height: 480,
                payload: .attached(pixels))
            let request = DetectRequest(frame: frame, model: "größe", minConfidence: 0.25)
            let response = try await NodeClient(stock.connection).detect(request, deadline: .after(.seconds(120)))
            #expect(stock.connection.attachmentPeer == nil)
            #expect((response.width, response.height) == SeenPictures.lengthAndSum(frame))
            #expect(response.sequence == 9)
            #expect(response.detections.map(\.label) == ["größe of north"])
            #expect(response.detections.map(\.confidence) == [0.25])
            #expect(response.timing.map(\.stage) == ["python"])
        }
    }
}
