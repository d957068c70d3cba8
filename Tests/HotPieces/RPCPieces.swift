import HTTP2
import Logging
import NIOCore
import NIOEmbedded

@testable import RPC

extension Piece {
    static let rpc = [
        Piece("deframe-small", turns: 2000, result: 100) { Deframing(message: 100, attachment: 0).turn },
        // As DATA of the usual size.
        Piece("deframe-large", turns: 20, result: 1 << 20) { Deframing(message: 100, attachment: 1 << 20).turn },
        Piece("request-head", turns: 2000, result: 3) {
            let methods = Exchange.context.methods
            let fields = HeaderFields(
                Exchange.heads.fields(Exchange.path, attachments: true) + [
                    HeaderField("grpc-timeout", "1999m"), HeaderField("traceparent", "00-0af7651916cd43dd-b7ad-01"),
                    HeaderField("x-request-id", "0af7651916cd43dd8448eb211c80319c"),
                ])
            return {
                guard case .call(let head) = RequestHead.judge(fields, methods, maxMetadata: 64) else { return 0 }
                return head.metadata.entries.count - (head.method == nil ? 1 : 0)
            }
        },
        Piece("call-in-memory", turns: 500, result: 105) { try Exchange().turn },
    ]
}

/// A stream's messages out of its bytes.
private final class Deframing {
    private static let dataBytes = 16 << 10

    private var reader: MessageReader
    private let budget = MemoryBudget(limit: 64 << 20)
    private let intake = LargeIntake(windowBytes: 4 << 20)
    private let pieces: [ByteBuffer]

    init(message: Int, attachment: Int) {
        let parser = MessageParser(
            takesAttachments: true, inflater: nil, maxMessageBytes: 4 << 20, maxAttachmentBytes: 64 << 20)
        reader = MessageReader(parser: parser, windowBytes: 1 << 20)
        let payload = Payload(
            ByteBuffer(repeating: 1, count: message),
            attachment: attachment == 0 ? nil : ByteBuffer(repeating: 2, count: attachment))
        var bytes = ByteBuffer()
        _ = payload.write(attachments: true) { bytes.writeImmutableBuffer($0) }
        var pieces: [ByteBuffer] = []
        while let piece = bytes.readSlice(length: min(Self.dataBytes, bytes.readableBytes)), piece.readableBytes > 0 {
            pieces.append(piece)
        }
        self.pieces = pieces
    }

    /// One message; the bytes of its largest part.
    func turn() -> Int {
        var largest = 0
        for piece in pieces {
            reader.receive(piece)
            while let output = reader.next(budget, intake) {
                if case .message(let payload, _) = output {
                    largest = max(payload.message.readableBytes, payload.attachment?.readableBytes ?? 0)
                }
            }
        }
        return largest
    }
}

/// A client's session and a server's connection, without a socket.
private final class Exchange {
    static let path = "/test.Memory/Echo"
    static let logger = Logger(label: "memory") { _ in SwiftLogNoOpLogHandler() }
    static let context = ServerContext(
        configuration: ServerConfiguration(), services: [Service()], budget: MemoryBudget(limit: 64 << 20),
        logger: logger)
    static let heads = RequestHeads(
        scheme: "http", authority: "memory", userAgent: ClientConfiguration.runtimeName, acceptedEncodings: nil)

    private struct Service: RPCService {
        var serviceName: String { "test.Memory" }
        var methods: [String: RPCHandler] { ["Echo": .immediate { _, request in UnaryResponse(request) }] }
    }

    private let channel = EmbeddedChannel()
    private let connection: ServerConnection
    private let client: Session
    private var heads = Exchange.heads
    private let payload = Payload(ByteBuffer(repeating: 1, count: 100))

    init() throws {
        let context = Self.context
        let place = try context.connections.reserve(nil, context.configuration, context.budget)
        connection = try ServerConnection.make(on: channel, sharing: place.share, context: context)
        client = try Session(role: .client)
        if let inbox = connection.inbox { context.connections.add(inbox, channel: channel, in: place) }
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/memory")).wait()
        _ = try exchange()
    }

    /// One call; the bytes of its answer.
    func turn() throws -> Int {
        guard let head = heads.prepared(Self.path, attachments: false) else { return 0 }
        _ = try client.request(head, [], prefix: payload.prefix, body: payload.message)
        return try exchange()
    }

    private func exchange() throws -> Int {
        var (sent, received) = ([ByteBuffer](), 0)
        _ = try client.produce { sent.append($0) }
        for bytes in sent { try channel.writeInbound(bytes) }
        channel.embeddedEventLoop.run()
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
            try client.receive(bytes, now: 0)
            client.tellEvents { event in
                if case .data(_, _, let length) = event { received += length }
            }
        }
        client.creditConnection(bytes: received)
        return received
    }
}
