import HTTP2
import Logging
import NIOCore
import NIOEmbedded

@testable import RPC

/// A server's end of a connection without a socket and without tasks: what comes is answered in the same turn.
final class InMemoryServer {
    let channel = EmbeddedChannel()
    private let context: ServerContext
    let connection: ServerConnection
    let budget = MemoryBudget(limit: 8 << 20)

    struct Service: RPCService {
        var serviceName: String { "test.Memory" }
        var methods: [String: RPCHandler] {
            [
                "Echo": .immediate { _, request in UnaryResponse(request, metadata: ["x-seen": "yes"]) },
                // Small requests alone are inflated on the loop.
                "Packed": .immediate { _, request in
                    UnaryResponse(
                        request, metadata: ["x-raw-bin": "seen"], trailers: ["x-cost": "3"], compression: .gzip)
                },
                "Fail": .immediate { _, _ in
                    let detail = RichStatus.Detail(typeURL: "a/b.C", value: ByteBuffer(string: "why"))
                    var error = RPCError(RichStatus(.invalidArgument, "no ü", details: [detail]))
                    error.metadata.add("x-why", "because")
                    throw error
                },
                "Large": .immediate { _, _ in UnaryResponse(Payload(ByteBuffer(repeating: 7, count: 40_000))) },
            ]
        }
        func limits(of method: String) -> MethodLimits {
            MethodLimits(maxRequestBytes: method == "Packed" ? Inflater.mostOnLoop : nil)
        }
    }

    static let logger = Logger(label: "memory") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        let health = HealthService()
        health.set(.serving)
        var configuration = ServerConfiguration()
        configuration.attachmentIdentity = "memory"
        context = ServerContext(
            configuration: configuration, services: [Service(), health], budget: budget, logger: Self.logger)
        let place = try context.connections.reserve(nil, configuration, budget)
        connection = try ServerConnection.make(on: channel, sharing: place.share, context: context)
        guard let inbox = connection.inbox else { return }
        context.connections.add(inbox, channel: channel, in: place)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/memory")).wait()
    }

    /// - Returns: what the server sends for it; nil: the connection has ended.
    func take(_ bytes: ByteBuffer) -> ByteBuffer? {
        guard channel.isActive else { return nil }
        try? channel.writeInbound(bytes)
        return output()
    }

    func output() -> ByteBuffer {
        channel.embeddedEventLoop.run()
        var all = ByteBuffer()
        while var piece = try? channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&piece) }
        return all
    }

    /// The peer is gone. Nothing may be left of it.
    func end() {
        _ = try? channel.finish(acceptAlreadyClosed: true)
        channel.embeddedEventLoop.run()
        let bytes = budget.used + budget.queuedBytes
        if bytes != 0 { fatalError("\(bytes) bytes are still reserved") }
    }

    static func run(_ bytes: [UInt8]) {
        guard let server = try? InMemoryServer() else { return }
        guard bytes.count % 2 == 0 else {
            let socket = InMemorySocket(channel: server.channel, handler: server.connection.http2)
            socket.receive(ByteBuffer(bytes: bytes), pieces: 100)
            _ = server.output()
            return server.end()
        }
        // In two pieces, so that what lies across them is seen as well.
        let half = bytes.count / 2
        _ = server.take(ByteBuffer(bytes: bytes[..<half]))
        _ = server.take(ByteBuffer(bytes: bytes[half...]))
        server.end()
    }
}
