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
        return try Response.decode(answer: response.payload, to: path)
    }
}

extension WireCodable {
    /// What a server has answered: that it cannot be read is not its caller's fault.
    /// - Throws: `RPCError` INTERNAL.
    static func decode(answer payload: Payload, to path: String) throws(RPCError) -> Self {
        do {
            return try decode(payload)
        } catch {
            throw RPCError.unreadableAnswer("answer to \(path) is malformed: \(error.message)", of: path).withheld
        }
    }
}
