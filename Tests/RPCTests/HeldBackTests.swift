import NIOCore
import NIOEmbedded
import Testing

@testable import RPC

/// What comes for a call whose consumer is slow.
@Suite struct HeldBackTests {
    private static func message(_ bytes: Int) -> ByteBuffer {
        var message = MessageReaderTests.prefix(bytes)
        message.writeRepeatingByte(7, count: bytes)
        return message
    }

    /// A block is as large as a read, and who sends a byte at a time to many streams would have one for each.
    @Test func whatComesLaterHoldsNoReceiveBuffer() throws {
        let budget = MemoryBudget(limit: 8 << 20)
        let context = ServerContext(
            configuration: ServerConfiguration(), services: [], budget: budget, logger: Loopback.logger)
        let place = try context.connections.reserve(nil, context.configuration, budget)
        let channel = EmbeddedChannel()
        let connection = try ServerConnection.make(on: channel, sharing: place.share, context: context)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
        let call = ServerCall(
            stream: 1,
            context: CallContext(path: "/a/b", metadata: [:], deadline: nil, peer: "p", takesAttachments: false),
            method: ServerMethod(
                .stream { _, _, _ in }, of: MethodDescription(service: "a", method: "b"), .init(), interceptors: []),
            start: .distantPast)
        call.reader = MessageReaderTests.reader()
        // It has room for one.
        call.inbound = InboundQueue(creditStep: 1000, maxBytes: 1, returnCredit: { _ in })
        connection.receive(Self.message(10), of: call)
        #expect(call.isHeldBack)

        for _ in 0..<2 {
            let block = try #require(MemoryBlock(BlockSize(fitting: 8192)))
            block.retain()
            var received = ByteBuffer(block, 0..<8000)
            received.writeImmutableBuffer(Self.message(20))
            connection.receive(received, of: call)
            received = ByteBuffer()
            let isLast = block.release()
            #expect(isLast)
            if isLast { block.free() }
        }
        #expect(budget.waitingBytes > 0)
        // None of it is lost.
        call.isHeldBack = false
        let rest = call.reader.map { reader in
            var reader = reader
            return MessageReaderTests.outputs(&reader, budget)
        }
        #expect(rest == Array(repeating: "message 20 credit 25", count: 2))
        call.end(RPCError(.cancelled, "over"), budget: budget)
        _ = try channel.finish(acceptAlreadyClosed: true)
        #expect(budget.waitingBytes == 0)
    }
}
