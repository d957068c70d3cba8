public import Messages
public import RPC

/// What a typed client calls through: one connection, or a balanced channel to many.
public protocol Caller: Sendable {
    func unary(_ path: String, _ request: Payload, options: CallOptions) async throws -> UnaryResponse
}

extension RPCConnection: Caller {}
extension RPCChannel: Caller {}

extension Caller {
    /// One typed unary call.
    public func call<Response: WireCodable>(
        _ path: String, _ request: some WireCodable, options: CallOptions, returning: Response.Type = Response.self
    ) async throws -> Response {
        let response = try await unary(path, Payload(request), options: options)
        do {
            return try Response.decode(response.payload)
        } catch {
            throw RPCError(.internal, "answer to \(path) is malformed: \(error.message)").withheld
        }
    }
}
