import HTTP2
import NIOCore
import NIOEmbedded
import Testing

@testable import RPC

/// Answers that come before their request was read.
@Suite struct EarlyAnswerTests {
    /// Its server gives no window, answers, and does not say that it wants no more: the request would wait for ever, and its
    /// stream with it.
    @Test func theRestOfTheRequestIsGivenUp() throws {
        try answered(window: 0)
    }

    /// It has sent all: an ordinary call ends without a frame more.
    @Test func ofAWholeRequestNothingIsReset() throws {
        try answered(window: 1 << 16)
    }

    private func answered(window: Int) throws {
        var settings = SessionSettings()
        settings.initialStreamWindowBytes = window
        let server = try Session(role: .server, settings: settings)
        let channel = EmbeddedChannel()
        let connection = try ClientConnection.make(
            on: channel, peer: "test", authority: "test", configuration: ClientConfiguration(),
            budget: MemoryBudget(limit: 8 << 20), logger: Loopback.logger)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        /// - Returns: what the server says to what the client has sent.
        func answer() throws -> ByteBuffer {
            while let sent = try channel.readOutbound(as: ByteBuffer.self) { try server.receive(sent, now: 0) }
            server.tellEvents { _ in }
            var bytes = ByteBuffer()
            while try server.produce({ bytes.writeImmutableBuffer($0) }) {}
            return bytes
        }
        try channel.writeInbound(answer())

        let call = ClientStream(path: "/a/b", options: CallOptions())
        let inbox = try #require(connection.inbox)
        let request = Payload(ByteBuffer(repeating: 1, count: 1000))
        connection.start(call, .unary(request, .pending(PendingUnary(call, inbox))))
        connection.flush()
        try channel.writeInbound(answer())
        #expect(connection.session.unsentBytes == (window == 0 ? 1005 : 0))
        #expect(connection.openStreams == 1)

        server.respond(stream: 1, fields: FrameServer.head + [HeaderField("grpc-status", "8")], endStream: true)
        var last = try answer()
        if window == 0 {
            let reset = last.writerIndex - 13
            #expect(last.getInteger(at: reset + 3, as: UInt8.self) == 3)
            last.moveWriterIndex(to: reset)
        }
        try channel.writeInbound(last)
        var sent = ByteBuffer()
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { sent.writeImmutableBuffer(bytes) }
        var types: [UInt8] = []
        while let head = sent.readBytes(length: 9) {
            types.append(head[3])
            sent.moveReaderIndex(forwardBy: Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2]))
        }
        #expect(types.contains(3) == (window == 0))
        #expect(call.hasEnded)
        #expect(connection.session.unsentBytes == 0)
        #expect(connection.openStreams == 0)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
