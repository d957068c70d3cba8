import HTTP2
import NIOCore
import NIOPosix

/// A client that knows HTTP/2 but not gRPC: sends any request, and returns all header fields of the answer, and `body`.
final class RawClient: HTTP2Delegate {
    private let fields: [HeaderField]
    private let body: ByteBuffer
    private let trailers: [HeaderField]?
    private let session: Session
    private var answer: [String: String] = [:]
    private let done: EventLoopPromise<[String: String]>
    private var hasSent = false

    static func head(_ path: String) -> [HeaderField] {
        [
            HeaderField(":method", "POST"), HeaderField(":scheme", "http"), HeaderField(":path", path),
            HeaderField(":authority", "test"), HeaderField("te", "trailers"),
            HeaderField("content-type", "application/grpc"),
        ]
    }

    static func request(
        to address: SocketAddress, _ fields: [HeaderField], body: ByteBuffer, trailers: [HeaderField]? = nil
    ) async throws -> [String: String] {
        let (channel, answer) = try await ClientBootstrap(group: Loopback.group).connect(to: address) { channel in
            channel.eventLoop.makeCompletedFuture {
                let session = try Session(role: .client)
                let done = channel.eventLoop.makePromise(of: [String: String].self)
                let client = RawClient(fields, body, trailers, session, done)
                try channel.pipeline.syncOperations.addHandler(
                    HTTP2Handler(session: session, delegate: client, handshakeTimeout: .seconds(10)))
                return (channel, done.futureResult)
            }
        }
        defer { channel.close(promise: nil) }
        return try await answer.get()
    }

    private init(
        _ fields: [HeaderField], _ body: ByteBuffer, _ trailers: [HeaderField]?, _ session: Session,
        _ done: EventLoopPromise<[String: String]>
    ) {
        self.fields = fields
        self.body = body
        self.trailers = trailers
        self.session = session
        self.done = done
    }

    func received(_ event: SessionEvent) {
        switch event {
        case .settings where !hasSent:
            hasSent = true
            if let stream = try? session.request(fields) {
                session.send(stream: stream, body)
                session.finish(stream: stream, trailers: trailers)
            }
        case .headers(_, let fields, _): for field in fields { answer[field.name] = field.value }
        case .closed: done.succeed(answer)
        default: break
        }
    }

    func received(stream: Int32, data: ByteBuffer) { answer["body", default: ""] += String(buffer: data) }

    func ended(_ reason: (any Error)?) { done.fail(reason ?? ChannelError.eof) }
}
