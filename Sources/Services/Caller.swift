public import Messages
public import RPC

/// What a typed client calls through: one connection, or a balanced channel to many.
public protocol Caller: Sendable {
    func unary(_ path: String, _ request: Payload, metadata: Metadata, deadline: Deadline?) async throws
        -> UnaryResponse
}

extension RPCConnection: Caller {}

extension Caller {
    /// One typed unary call.
    public func call<Response: WireCodable>(
        _ path: String, _ request: some WireCodable, deadline: Deadline?, returning: Response.Type = Response.self
    ) async throws -> Response {
        let response = try await unary(path, Payload(request), metadata: [:], deadline: deadline)
        do {
            return try Response.decode(response.payload)
        } catch {
            throw RPCError(.internal, "answer to \(path) is malformed: \(error.message)")
        }
    }
}
