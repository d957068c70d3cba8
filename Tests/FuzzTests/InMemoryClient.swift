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

    static let paths = ["/test.Memory/Echo", "/test.Memory/Fail", "/test.Memory/Large", "/grpc.health.v1.Health/Check"]

    init() throws {
        connection = try ClientConnection.make(
            on: channel, peer: "memory", authority: "memory", configuration: ClientConfiguration(), budget: budget,
            logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        outcomes = Outcomes()
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/memory")).wait()
    }

    /// Each call has a stream of its own that nobody reads, so that no task is needed.
    func call(_ path: String) -> StreamAttempt? {
        guard let inbox = connection.inbox else { return nil }
        let call = ClientStream(path: path, options: CallOptions())
        let state = StreamingState(
            inbound: InboundQueue(creditStep: 1 << 16, maxBytes: 64 << 10) { _ in },
            gate: OutboundGate(limitBytes: 1 << 18))
        connection.start(call, .streaming(state, opened: nil))
        connection.send(Payload(ByteBuffer()), on: call)
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
        guard let client = try? InMemoryClient() else { return }
        // A server's SETTINGS, without which calls would wait.
        client.take(ByteBuffer(bytes: [0, 0, 0, 4, 0, 0, 0, 0, 0]))
        let attempts = paths.compactMap { client.call($0) }
        _ = client.output()
        if bytes.count % 2 == 0 {
            let half = bytes.count / 2
            client.take(ByteBuffer(bytes: bytes[..<half]))
            client.take(ByteBuffer(bytes: bytes[half...]))
        } else {
            let socket = InMemorySocket(channel: client.channel, handler: client.connection.http2)
            socket.receive(ByteBuffer(bytes: bytes), pieces: 100)
        }
        client.end()
        for attempt in attempts where !attempt.call.hasEnded {
            fatalError("call of \(attempt.call.path) has no end")
        }
    }
}
