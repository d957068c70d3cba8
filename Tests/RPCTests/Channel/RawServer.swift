import HTTP2
import NIOCore
import NIOPosix
import Synchronization

@testable import RPC

/// A server that knows HTTP/2 but does to each call what the test says, however rude.
final class RawServer: Sendable {
    enum Reply: Sendable {
        case answer(String)
        /// Trailers only.
        case status(StatusCode, [HeaderField] = [])
        /// A response head and then a status: the call is committed.
        case headThenStatus(StatusCode)
        case headThenSilence
        case refuse
        /// GOAWAY that says that streams above `last` were not looked at. Nothing else.
        case goAway(last: Int32)
        /// GOAWAY, and an answer to the call.
        case goAwayThenAnswer(String)
        case silence
        case cut
    }

    struct Call: Sendable {
        /// All calls of the server are counted, from 1.
        var number: Int
        var stream: Int32
        var head: [HeaderField]

        subscript(name: String) -> String? { head.first { $0.name == name }?.value }
    }

    private let script: @Sendable (Call) -> Reply
    private let seen = Mutex<[Call]>([])
    private let resets = Mutex(0)
    private let listeners = Mutex<[(resets: Int, signal: Signal)]>([])
    private let connections = Mutex(0)

    var calls: [Call] { seen.withLock { $0 } }
    var connectionCount: Int { connections.withLock { $0 } }

    private init(_ script: @escaping @Sendable (Call) -> Reply) { self.script = script }

    /// - Parameter path: of a socket in the file system; nil: a free port.
    static func with(
        at path: String? = nil, _ script: @escaping @Sendable (Call) -> Reply,
        _ body: (RawServer, String) async throws -> Void
    ) async throws {
        let server = RawServer(script)
        let bootstrap = ServerBootstrap(group: Loopback.group)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    server.connections.withLock { $0 += 1 }
                    let session = try Session(role: .server)
                    let delegate = Delegate(server, session, child)
                    try child.pipeline.syncOperations.addHandler(
                        HTTP2Handler(session: session, delegate: delegate, handshakeTimeout: .seconds(60)))
                }
            }
        let channel =
            if let path {
                try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            } else { try await bootstrap.bind(host: "127.0.0.1", port: 0).get() }
        defer { channel.close(promise: nil) }
        try await body(server, path.map { "unix:\($0)" } ?? "127.0.0.1:\(channel.localAddress?.port ?? 0)")
    }

    /// Returns when clients have reset so many streams.
    func sawResets(_ count: Int) async {
        let signal = Signal()
        let isThere = listeners.withLock { listeners in
            if resets.withLock({ $0 }) >= count { return true }
            listeners.append((count, signal))
            return false
        }
        if !isThere { await signal.wait() }
    }

    private func sawReset() {
        let due = listeners.withLock { listeners in
            let count = resets.withLock { resets in
                resets += 1
                return resets
            }
            return listeners.filter { $0.resets == count }
        }
        for listener in due { listener.signal.fire() }
    }

    private final class Delegate: HTTP2Delegate {
        private let server: RawServer
        private let session: Session
        private let channel: any Channel
        private var waiting: [Int32: Reply] = [:]
        private var open: Set<Int32> = []

        init(_ server: RawServer, _ session: Session, _ channel: any Channel) {
            self.server = server
            self.session = session
            self.channel = channel
        }

        func received(_ event: SessionEvent) {
            switch event {
            case .headers(let stream, let fields, let endStream):
                open.insert(stream)
                let call = server.seen.withLock { seen in
                    let call = Call(number: seen.count + 1, stream: stream, head: Array(fields))
                    seen.append(call)
                    return call
                }
                let reply = server.script(call)
                if case .answer = reply, !endStream { waiting[stream] = reply } else { act(reply, on: stream) }
            case .ended(let stream): if let reply = waiting.removeValue(forKey: stream) { act(reply, on: stream) }
            case .closed(let stream, let code):
                open.remove(stream)
                if code == .cancel { server.sawReset() }
            default: break
            }
        }

        private static let head = [HeaderField(":status", "200"), HeaderField("content-type", "application/grpc")]

        private func act(_ reply: Reply, on stream: Int32) {
            switch reply {
            case .answer(let text):
                session.respond(stream: stream, fields: Self.head, endStream: false)
                var message = ByteBuffer(integer: UInt8(0))
                message.writeInteger(UInt32(text.utf8.count))
                message.writeString(text)
                session.send(stream: stream, message)
                session.finish(stream: stream, trailers: [HeaderField("grpc-status", "0")])
            case .status(let code, let more):
                session.respond(
                    stream: stream, fields: Self.head + [HeaderField("grpc-status", "\(code.rawValue)")] + more,
                    endStream: true)
            case .headThenStatus(let code):
                session.respond(stream: stream, fields: Self.head, endStream: false)
                session.finish(stream: stream, trailers: [HeaderField("grpc-status", "\(code.rawValue)")])
            case .headThenSilence: session.respond(stream: stream, fields: Self.head, endStream: false)
            case .refuse: session.reset(stream: stream, code: .refusedStream)
            case .goAway(let last): goAway(last)
            case .goAwayThenAnswer(let text):
                goAway(stream)
                act(.answer(text), on: stream)
            case .silence: break
            case .cut: channel.close(promise: nil)
            }
        }

        /// RFC 9113, section 6.8; past the session, which would not say that.
        private func goAway(_ last: Int32) {
            var frame = ByteBuffer(bytes: [0, 0, 8, 7, 0, 0, 0, 0, 0])
            frame.writeInteger(last)
            frame.writeInteger(UInt32(0))
            channel.writeAndFlush(frame, promise: nil)
        }

        func received(stream: Int32, data: ByteBuffer) { session.credit(stream: stream, bytes: data.readableBytes) }
        func ended(_ reason: (any Error)?) {}
    }
}
