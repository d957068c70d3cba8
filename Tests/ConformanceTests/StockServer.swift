import Glibc
import NIOCore
import RPC
import TestSupport

/// python/server.py, and our connection to it.
struct StockServer {
    static let path = "/interop.Test/"

    let process: ChildProcess
    let address: SocketAddress
    let connection: RPCConnection

    /// - Parameter options: of the stock server, as python/server.py takes them.
    static func with<Value: Sendable>(
        _ options: String..., configure: (inout ClientConfiguration) -> Void = { _ in },
        body: (StockServer) async throws -> Value
    ) async throws -> Value {
        let process = try PythonScript.start("server.py", options)
        defer { process.signal(SIGKILL) }
        let text = try await process.line(startingWith: "ready ", within: .seconds(180))
        guard let port = Int(text) else { throw Failure("server.py said 'ready \(text)'") }
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        var configuration = ClientConfiguration()
        configuration.maxMessageBytes = 8 << 20
        configuration.connectTimeout = .seconds(30)
        configure(&configuration)
        let connection = try await RPCConnection.connect(
            to: address, configuration: configuration,
            budget: MemoryBudget(limit: 256 << 20), group: OurServer.group, logger: OurServer.logger)
        defer { connection.close() }
        return try await body(StockServer(process: process, address: address, connection: connection))
    }

    func unary(
        _ method: String, _ request: String, metadata: Metadata = [:], deadline: Deadline = .after(.seconds(120))
    ) async throws -> String {
        let response = try await connection.unary(
            Self.path + method, Payload(ByteBuffer(string: request)),
            options: .init(metadata: metadata, deadline: deadline))
        return String(buffer: response.payload.message)
    }

    func open(_ method: String, deadline: Deadline = .after(.seconds(120))) async throws -> ClientCall {
        try await connection.open(Self.path + method, options: .init(deadline: deadline))
    }
}

extension ClientCall {
    func send(_ text: String) async throws { try await send(Payload(ByteBuffer(string: text))) }
}

extension MessageStream {
    /// All of them.
    func collect() async throws -> [ByteBuffer] {
        var messages: [ByteBuffer] = []
        for try await message in self { messages.append(message.message) }
        return messages
    }
}
