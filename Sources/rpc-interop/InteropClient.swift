import NIOCore
import RPC

/// Calls `grpc.testing.TestService` for the test cases.
struct InteropClient: Sendable {
    /// Each call ends by itself; this is for servers that are broken.
    private static let patience: Duration = .seconds(60)

    let channel: RPCChannel

    /// - Parameter compresses: whether this message is compressed, in a call of `compression`.
    func unary<Response: Message>(
        _ method: String, _ request: some Message, metadata: Metadata = [:], compression: Compression = .identity,
        compresses: Bool = true, returning: Response.Type = Response.self
    ) async throws -> (message: Response, raw: UnaryResponse) {
        var payload = Payload(request.encode())
        payload.compresses = compresses
        let options = CallOptions(
            metadata: metadata, deadline: .after(Self.patience), compression: compression)
        let raw = try await channel.unary("/\(TestService.name)/\(method)", payload, options: options)
        return (try Response.decode(raw.payload.message), raw)
    }

    /// A call with an `Empty` message.
    func empty(_ method: String, of service: String = TestService.name) async throws -> UnaryResponse {
        try await channel.unary(
            "/\(service)/\(method)", Payload(ByteBuffer()), options: CallOptions(deadline: .after(Self.patience)))
    }

    func open(
        _ method: String, metadata: Metadata = [:], compression: Compression = .identity,
        deadline: Deadline = .after(InteropClient.patience)
    ) async throws -> ClientCall {
        let options = CallOptions(metadata: metadata, deadline: deadline, compression: compression)
        return try await channel.open("/\(TestService.name)/\(method)", options: options)
    }
}

extension ClientCall {
    func send(_ request: some Message, compresses: Bool = true) async throws {
        var payload = Payload(request.encode())
        payload.compresses = compresses
        try await send(payload)
    }

    /// All answers, decoded, and whether each came compressed.
    func collect<Response: Message>(_: Response.Type) async throws -> [(message: Response, wasCompressed: Bool)] {
        var answers: [(message: Response, wasCompressed: Bool)] = []
        for try await answer in responses {
            answers.append((try Response.decode(answer.message), answer.wasCompressed))
        }
        return answers
    }
}
