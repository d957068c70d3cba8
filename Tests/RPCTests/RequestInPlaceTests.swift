import HTTP2
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import RPC

/// A request that came in one read, for a handler on the loop.
@Suite struct RequestInPlaceTests {
    private static let bytes = 100_000

    /// A server's connection without a socket, and the session of its client, which lets no answer come.
    private final class Ends {
        let channel = EmbeddedChannel()
        let connection: ServerConnection
        private let client: Session
        private(set) var status: String?

        init(
            _ configuration: ServerConfiguration = .init(),
            _ handler: @escaping @Sendable (CallContext, Payload) throws -> UnaryResponse
        ) throws {
            let budget = MemoryBudget(limit: 8 << 20)
            let context = ServerContext(
                configuration: configuration, services: [TableService(methods: ["Do": .immediate(handler)])],
                budget: budget, logger: Loopback.logger)
            let place = try context.connections.reserve(nil, configuration, budget)
            connection = try ServerConnection.make(on: channel, sharing: place.share, context: context)
            var settings = SessionSettings()
            settings.initialStreamWindowBytes = 0
            client = try Session(role: .client, settings: settings)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/test")).wait()
            // SETTINGS, and that they were read.
            for _ in 0..<2 { try take(said()) }
        }

        /// What the client has to say now.
        private func said() throws -> ByteBuffer {
            var all = ByteBuffer()
            while try client.produce({ all.writeImmutableBuffer($0) }) {}
            return all
        }

        /// One read of the server.
        func take(_ bytes: ByteBuffer) throws {
            try channel.writeInbound(bytes)
            channel.embeddedEventLoop.run()
            while let answer = try channel.readOutbound(as: ByteBuffer.self) { try client.receive(answer, now: 0) }
            client.tellEvents { event in
                guard case .headers(_, let fields, _) = event else { return }
                for field in fields where field.name == "grpc-status" { status = field.value }
            }
        }

        func request() throws -> ByteBuffer {
            var body = MessageReaderTests.prefix(RequestInPlaceTests.bytes)
            body.writeRepeatingByte(1, count: RequestInPlaceTests.bytes)
            let stream = try client.request(RawClient.head("/test.Service/Do"))
            client.send(stream: stream, body)
            client.finish(stream: stream)
            return try said()
        }

        func end() throws { _ = try channel.finish(acceptAlreadyClosed: true) }
    }

    @Test func itIsNotCopied() throws {
        let kept = Mutex<ByteBuffer?>(nil)
        let ends = try Ends { _, request in
            kept.withLock { $0 = request.message }
            return UnaryResponse(Payload("taken"))
        }
        let request = try ends.request()
        try ends.take(request)
        let message = kept.withLock { $0 }
        #expect(message == ByteBuffer(repeating: 1, count: Self.bytes))
        #expect(message?.isPart(of: request) == true)
        try ends.end()
    }

    @Test func itsLimitIsLookedAt() throws {
        var configuration = ServerConfiguration()
        configuration.maxMessageBytes = Self.bytes - 1
        let hasRun = Counter()
        let ends = try Ends(configuration) { _, request in
            hasRun.add()
            return UnaryResponse(request)
        }
        try ends.take(try ends.request())
        #expect(hasRun.value == 0)
        #expect(ends.status == "8")
        try ends.end()
    }

    /// It waits for its client, who may ask for as many as it has streams. The first answer of a connection goes out
    /// another way than the next.
    @Test func anAnswerThatIsTheRequestHoldsNoReceiveBuffer() throws {
        let ends = try Ends { _, request in UnaryResponse(request) }
        let room = 150_000
        for count in 1...2 {
            let block = try #require(MemoryBlock(BlockSize(fitting: room + MemoryBlock.headerBytes)))
            block.retain()
            var received = ByteBuffer(block, 0..<room)
            received.writeImmutableBuffer(try ends.request())
            #expect(received.storageCapacity == room)
            try ends.take(received)
            received = ByteBuffer()
            #expect(ends.connection.session.unsentBytes == count * (Self.bytes + 5))
            let isLast = block.release()
            #expect(isLast)
            if isLast { block.free() }
        }
        try ends.end()
    }
}
