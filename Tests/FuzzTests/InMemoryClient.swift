import HTTP2
import Logging
import NIOCore
import NIOEmbedded
import Synchronization

@testable import RPC

/// A client's end of a connection without a socket, with a few calls that wait for answers.
final class InMemoryClient {
    let channel = EmbeddedChannel()
    let budget = MemoryBudget(limit: 8 << 20)
    let connection: ClientConnection
    private let outcomes: Outcomes

    /// How the calls ended.
    final class Outcomes: Sendable {
        private let ended = Mutex<[String]>([])
        var all: [String] { ended.withLock { $0 } }
        func add(_ outcome: String) { ended.withLock { $0.append(outcome) } }
    }

    struct Request {
        var name: String
        var path: String
        var payload = Payload(ByteBuffer())
        var options = CallOptions()

        static let greeting = Request(name: "greeting", path: "/test.Memory/Echo")
    }

    /// One of everything that a call can be: metadata of both kinds, compressed messages, attachments, an error with
    /// details, a large answer.
    static let requests: [Request] = {
        var metadata: Metadata = ["x-one": "1", "x-one": "two"]
        metadata.add("x-raw-bin", bytes: [0, 255, 1])
        let text = ByteBuffer(string: String(repeating: "again and ", count: 40))
        return [
            Request(name: "plain", path: "/test.Memory/Echo", options: CallOptions(metadata: metadata)),
            Request(
                name: "compressed", path: "/test.Memory/Packed", payload: Payload(text),
                options: CallOptions(compression: .gzip)),
            Request(
                name: "attached", path: "/test.Memory/Echo",
                payload: Payload(ByteBuffer(string: "head"), attachment: ByteBuffer(string: "pixels"))),
            Request(name: "failing", path: "/test.Memory/Fail"),
            Request(name: "large", path: "/test.Memory/Large"),
            Request(name: "health", path: "/grpc.health.v1.Health/Check"),
        ]
    }()

    init() throws {
        connection = try ClientConnection.make(
            on: channel, peer: "memory", authority: "memory", configuration: ClientConfiguration(), budget: budget,
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        outcomes = Outcomes()
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/memory")).wait()
    }

    /// One that has heard the greeting of a server that takes attachments.
    static func greeted() throws -> InMemoryClient {
        let client = try InMemoryClient()
        client.take(Recording.shared.settings)
        _ = client.call(.greeting)
        client.take(Recording.shared.greeting)
        _ = client.output()
        return client
    }

    /// Each call has a stream of its own that nobody waits for, so that no task is needed.
    func call(_ request: Request) -> StreamAttempt? {
        guard let inbox = connection.inbox else { return nil }
        let call = ClientStream(path: request.path, options: request.options)
        let state = StreamingState(
            inbound: InboundQueue(
                creditStep: 1 << 16, maxBytes: 64 << 10, memory: QueuedShare(budget, connection.share)
            ) { _ in },
            gate: OutboundGate(limitBytes: 1 << 18))
        connection.start(call, .streaming(state, opened: nil))
        let payload = try? request.payload.deflated(as: request.options.compression)
        connection.send(payload ?? request.payload, on: call)
        connection.finishSending(call)
        connection.flush()
        return StreamAttempt(call: call, state: state, inbox: inbox)
    }

    func take(_ bytes: ByteBuffer) {
        if channel.isActive { try? channel.writeInbound(bytes) }
        channel.embeddedEventLoop.run()
    }

    func output() -> ByteBuffer {
        channel.embeddedEventLoop.run()
        var all = ByteBuffer()
        while var piece = try? channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&piece) }
        return all
    }

    func end() {
        _ = try? channel.finish(acceptAlreadyClosed: true)
        channel.embeddedEventLoop.run()
    }

    static func run(_ bytes: [UInt8]) {
        guard let client = try? InMemoryClient.greeted() else { return }
        let attempts = requests.compactMap { client.call($0) }
        _ = client.output()
        if bytes.count % 2 == 0 {
            let half = bytes.count / 2
            client.take(ByteBuffer(bytes: bytes[..<half]))
            client.take(ByteBuffer(bytes: bytes[half...]))
        } else {
            let socket = InMemorySocket(channel: client.channel, handler: client.connection.http2)
            socket.receive(ByteBuffer(bytes: bytes), pieces: 100)
        }
        client.end(attempts)
    }

    /// What a client hears before it knows anything of its server.
    static func hear(_ bytes: [UInt8]) {
        guard let client = try? InMemoryClient() else { return }
        let attempts = [client.call(.greeting)].compactMap { $0 }
        // Its call has a stream from the SETTINGS on.
        let first = min(bytes.count, Recording.shared.settings.readableBytes)
        client.take(ByteBuffer(bytes: bytes[..<first]))
        client.take(ByteBuffer(bytes: bytes[first...]))
        client.end(attempts)
    }

    /// The server is gone. Every call has its end, and nothing may be left.
    private func end(_ attempts: [StreamAttempt]) {
        end()
        for attempt in attempts {
            if !attempt.call.hasEnded { fatalError("call of \(attempt.call.path) has no end") }
            // What came is inflated by whoever takes it.
            while case .success(let payload?)? = attempt.state.inbound.poll() { _ = try? payload.inflated() }
        }
        let bytes = budget.used + budget.queuedBytes
        if bytes != 0 { fatalError("\(bytes) bytes are still reserved") }
    }
}
