import NIOCore
import Synchronization
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(5))) struct AttachmentTests {
    /// Says what came: which framing, the message, and the attachment.
    static let describe: RPCHandler = .unary { context, payload in
        let attachment =
            payload.attachment.map { attachment in
                "\(attachment.readableBytes) \(attachment == pixels(attachment.readableBytes) ? "as sent" : "damaged")"
            } ?? "none"
        return UnaryResponse(
            Payload("\(context.takesAttachments) \(payload.message.readableBytes) \(attachment)"))
    }

    /// No power of two goes into its length, so that bytes in the wrong place are others.
    private static let pattern = ByteBuffer(bytes: (0..<4093).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) })

    /// By the piece: tests are not optimized, and a byte at a time takes a second for a picture under a sanitizer.
    static func pixels(_ count: Int) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while buffer.readableBytes < count {
            let piece = min(pattern.readableBytes, count - buffer.readableBytes)
            buffer.writeImmutableBuffer(pattern.getSlice(at: 0, length: piece)!)
        }
        return buffer
    }

    @Test func attachmentsTravelBesideTheMessageOnceAnnounced() async throws {
        try await Loopback.with(["D": Self.describe], server: .attaching) { loopback in
            let pixels = Self.pixels(3_000_000)
            let payload = Payload(ByteBuffer(string: "head"), preamble: ByteBuffer(string: "PRE"), attachment: pixels)
            #expect(loopback.connection.attachmentPeer == nil)
            let first = try await loopback.connection.unary(loopback.path("D"), payload)
            #expect(first.payload.text == "false 3000007 none")
            #expect(loopback.connection.attachmentPeer == "node-1")
            let second = try await loopback.connection.unary(loopback.path("D"), payload)
            #expect(second.payload.text == "true 4 3000000 as sent")
        }
    }

    /// Its parts are read from the socket to their places, among small calls and other large ones, in both directions.
    @Test(arguments: [50_000, 3_000_000, 7_000_001])
    func partsOfAnySizeArriveAsTheyWereSent(_ size: Int) async throws {
        var (server, client) = (ServerConfiguration.attaching, ClientConfiguration.patient)
        (server.maxMessageBytes, client.maxMessageBytes) = (64 << 20, 64 << 20)
        let methods: [String: RPCHandler] = [
            "Echo": .unary { _, payload in UnaryResponse(payload) },
            "Now": .immediate { _, payload in UnaryResponse(payload) },
        ]
        try await Loopback.with(methods, server: server, client: client) { loopback in
            _ = try await loopback.unary("Echo", "announces attachments")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let sent = Payload(
                            Self.pixels(number % 2 == 0 ? size + number : number),
                            attachment: number % 3 == 0 ? nil : Self.pixels(size - number))
                        let answer = try await loopback.connection.unary(
                            loopback.path(number % 4 < 2 ? "Echo" : "Now"), sent)
                        #expect(answer.payload.message == sent.message)
                        #expect(answer.payload.attachment == sent.attachment)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func attachmentsAreNotUsedWhereTheyAreNotOffered() async throws {
        var client = ClientConfiguration.patient
        client.offersAttachments = false
        try await Loopback.with(["D": Self.describe], server: .attaching, client: client) { loopback in
            let payload = Payload(ByteBuffer(string: "head"), attachment: Self.pixels(10))
            for _ in 0..<2 {
                let answer = try await loopback.connection.unary(loopback.path("D"), payload)
                #expect(answer.payload.text == "false 14 none")
            }
        }
    }

    @Test func largeAndSmallOnesInterleave() async throws {
        try await Loopback.with(
            [
                "D": Self.describe,
                "Echo": .stream { _, requests, responses in
                    for try await request in requests { try await responses.write(request) }
                },
            ], server: .attaching
        ) { loopback in
            _ = try await loopback.unary("D")
            let call = try await loopback.connection.open(loopback.path("Echo"))
            let sizes = (0..<60).map { $0 % 3 == 0 ? 3_000_000 : $0 % 3 == 1 ? 7 : 0 }
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    for size in sizes {
                        try await call.send(Payload(ByteBuffer(string: "\(size)"), attachment: Self.pixels(size)))
                    }
                    call.finishSending()
                }
                var received = 0
                for try await payload in call.responses {
                    #expect(payload.text == "\(sizes[received])")
                    #expect(payload.attachment?.readableBytes == sizes[received])
                    received += 1
                }
                #expect(received == sizes.count)
                try await tasks.waitForAll()
            }
        }
    }

    @Test func whatIsCountedAsWaitingIsWhatIsSent() async throws {
        let waiting = Mutex<OutboundGate?>(nil)
        let echo = RPCHandler.stream { _, requests, responses in
            waiting.withLock { $0 = responses.gate }
            for try await request in requests {
                try await responses.write(
                    Payload(request.message, preamble: ByteBuffer(string: "PRE"), attachment: request.attachment))
            }
        }
        try await Loopback.with(["D": Self.describe, "Echo": echo], server: .attaching) { loopback in
            _ = try await loopback.unary("D")
            let call = try await loopback.connection.open(loopback.path("Echo"))
            let payload = Payload(
                ByteBuffer(string: "head"), preamble: ByteBuffer(string: "PREAMBLE"), attachment: Self.pixels(100))
            for _ in 0..<10 { try await call.send(payload) }
            try await call.send(Payload("no attachment"))
            call.finishSending()
            var received = 0
            for try await _ in call.responses { received += 1 }
            #expect(received == 11)
            // The server's loop has done what it had to when it answers again.
            _ = try await loopback.unary("D")
            if case .direct(let attempt) = call.kind { #expect(attempt.state.gate.pending == 0) }
            #expect(waiting.withLock { $0?.pending } == 0)
        }
    }

    @Test func bigMessagesPassSmallWindows() async throws {
        var server = ServerConfiguration()
        server.initialStreamWindowBytes = 65_535
        server.maxMessageBytes = 16 << 20
        var client = ClientConfiguration.patient
        client.initialStreamWindowBytes = 65_535
        client.maxMessageBytes = 16 << 20
        try await Loopback.with(
            ["Echo": .unary { _, payload in UnaryResponse(payload) }], server: server, client: client
        ) {
            loopback in
            let big = Self.pixels(9_999_999)
            let answer = try await loopback.connection.unary(loopback.path("Echo"), Payload(big))
            #expect(answer.payload.message == big)
        }
    }

    @Test func messagesBeyondTheLimitAreRefusedByTheirPrefix() async throws {
        var server = ServerConfiguration()
        server.maxMessageBytes = 1000
        var client = ClientConfiguration.patient
        client.maxMessageBytes = 100
        try await Loopback.with(
            ["Echo": .unary { _, payload in UnaryResponse(payload) }], server: server, client: client
        ) { loopback in
            let tooLong = await failure {
                _ = try await loopback.unary("Echo", String(repeating: "x", count: 1_000_000))
            }
            #expect(tooLong?.code == .resourceExhausted)
            #expect(tooLong?.message == "message size 1000000 exceeds limit 1000")
            let answerTooLong = await failure {
                _ = try await loopback.unary("Echo", String(repeating: "x", count: 999))
            }
            #expect(answerTooLong?.code == .resourceExhausted)
            #expect(answerTooLong?.message == "message size 999 exceeds limit 100")
            try await loopback.expect("still alive", from: "Echo", "still alive")
        }
    }

    @Test func parkedMessagesGoOnWhenMemoryIsBack() async throws {
        let budget = MemoryBudget(limit: 3 << 20)
        try await Loopback.with(["D": Self.describe], server: .attaching, serverBudget: budget) { loopback in
            _ = try await loopback.unary("D")
            try await withThrowingTaskGroup(of: String.self) { tasks in
                for _ in 0..<20 {
                    tasks.addTask {
                        let payload = Payload(ByteBuffer(), attachment: Self.pixels(2 << 20))
                        return try await loopback.connection.unary(loopback.path("D"), payload).payload.text
                    }
                }
                for try await text in tasks { #expect(text == "true 0 2097152 as sent") }
            }
            // The last handler lets go after its answer, and the test does not end before.
            while budget.used != 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
    }
}
