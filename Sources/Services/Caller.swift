public import Logging
public import Messages
public import RPC

/// What a typed client calls through: one connection, or a balanced channel to many.
public protocol Caller: Sendable {
    /// - Returns: the answer, and who gave it.
    func call(_ path: String, _ request: Payload, options: CallOptions) async throws -> ChannelResponse

    /// Gets a line for each answer that cannot be read, within bounds; nil: whoever calls says it.
    var log: Logger? { get }
}

extension RPCConnection: Caller {
    public func call(_ path: String, _ request: Payload, options: CallOptions) async throws -> ChannelResponse {
        ChannelResponse(response: try await unary(path, request, options: options), endpoint: peer, retries: 0)
    }

    public var log: Logger? { logger }
}

extension RPCChannel: Caller {
    public var log: Logger? { logger }
}

extension Caller {
    /// One typed unary call.
    public func call<Response: WireCodable>(
        _ path: String, _ request: some WireCodable, options: CallOptions, returning: Response.Type = Response.self
    ) async throws -> Response {
        let answer = try await call(path, Payload(request), options: options)
        return try Response.decode(answer: answer.response.payload, to: path, of: answer.endpoint, log)
    }
}

extension WireCodable {
    /// What a server has answered: that it cannot be read is not its caller's fault.
    /// - Parameter endpoint: who has answered.
    /// - Throws: `RPCError` INTERNAL.
    static func decode(
        answer payload: Payload, to path: String, of endpoint: String, _ log: Logger?
    ) throws(RPCError) -> Self {
        do {
            return try decode(payload)
        } catch {
            let message = "answer to \(path) is malformed: \(error.message)"
            throw RPCError.unreadableAnswer(message, to: path, of: endpoint, log).withheld
        }
    }
}
