import HTTP2
import NIOCore
import NIOPosix
import Testing

@testable import RPC

/// A server that knows HTTP/2 but not gRPC: answers every request with the same script, whatever it asks for.
final class FrameServer: HTTP2Delegate {
    /// What it does with one request, once its head is there.
    typealias Script = @Sendable (Session, Int32) -> Void

    private let session: Session
    private let script: Script
    private var http2: HTTP2Handler?

    static let head = [HeaderField(":status", "200"), HeaderField("content-type", "application/grpc")]
    static let ok = [HeaderField("grpc-status", "0")]

    /// Runs `body` with a connection to such a server.
    static func with(
        client: ClientConfiguration = .patient, budget: MemoryBudget = MemoryBudget(limit: 64 << 20),
        _ script: @escaping Script, body: (RPCConnection) async throws -> Void
    ) async throws {
        let channel = try await ServerBootstrap(group: Loopback.group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let session = try Session(role: .server)
                    let server = FrameServer(session, script)
                    let handler = HTTP2Handler(session: session, delegate: server, handshakeTimeout: .seconds(30))
                    server.http2 = handler
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { channel.close(promise: nil) }
        let connection = try await RPCConnection.connect(
            to: try #require(channel.localAddress), configuration: client, budget: budget,
            group: Loopback.group, logger: Loopback.logger)
        defer { connection.close() }
        try await body(connection)
    }

    /// What a unary call of such a server ends with; nil: it went well.
    static func outcome(
        client: ClientConfiguration = .patient, deadline: Deadline = .after(.seconds(60)), _ script: @escaping Script
    ) async throws -> RPCError? {
        var error: RPCError?
        try await with(client: client, script) { connection in
            error = await failure {
                _ = try await connection.unary("/a/b", Payload("x"), options: CallOptions(deadline: deadline))
            }
        }
        return error
    }

    private init(_ session: Session, _ script: @escaping Script) {
        self.session = session
        self.script = script
    }

    func received(_ event: SessionEvent) {
        if case .headers(let stream, _, _) = event { script(session, stream) }
    }

    func received(stream: Int32, data: ByteBuffer) {}

    func ended(_ reason: (any Error)?) { http2 = nil }
}
