import Logging
import NIOCore
public import RPC

/// An answer, and what it took to get it.
public struct ChannelResponse: Sendable {
    public var response: UnaryResponse
    /// The endpoint that answered.
    public var endpoint: String
    /// Attempts beyond the first.
    public var retries: Int
}

/// What an error says of the endpoint, and whether another one may do better. All calls are taken as idempotent.
enum Verdict {
    case blameAndRetry, retry, blame, accept

    static func on(_ error: RPCError) -> Verdict {
        if error.neverStarted || error.lostConnection { return .blameAndRetry }
        switch error.code {
        case .unavailable, .resourceExhausted: return .blameAndRetry
        case .aborted: return .retry
        case .deadlineExceeded, .internal, .unknown, .dataLoss: return .blame
        default: return .accept
        }
    }
}

extension BalancedChannel {
    /// One call, on another endpoint if the first fails, within the deadline.
    public func call(
        _ path: String, _ request: Payload, metadata: Metadata = [:], deadline: Deadline? = nil
    ) async throws -> ChannelResponse {
        var tried: Set<String> = []
        var retries = 0
        while true {
            let (name, connection) = try await pick(excluding: tried, deadline: deadline)
            let start = now
            do {
                let response = try await connection.unary(path, request, metadata: metadata, deadline: deadline)
                finished(name, since: start, failed: false)
                return ChannelResponse(response: response, endpoint: name, retries: retries)
            } catch let error as RPCError {
                let verdict = Verdict.on(error)
                finished(name, since: start, failed: verdict == .blame || verdict == .blameAndRetry)
                guard verdict == .retry || verdict == .blameAndRetry, retries + 1 < configuration.maxAttempts,
                    !Task.isCancelled, !(deadline?.hasPassed ?? false),
                    // A full endpoint is not asked twice; a lost one may be back.
                    error.code != .resourceExhausted || !tried.contains(name)
                else { throw error }
                retries += 1
                tried.insert(name)
                logger.debug(
                    "trying another endpoint", metadata: ["failed": "\(name)", "error": "\(error.message)"])
            }
        }
    }

    public func unary(
        _ path: String, _ request: Payload, metadata: Metadata, deadline: Deadline?
    ) async throws -> UnaryResponse {
        try await call(path, request, metadata: metadata, deadline: deadline).response
    }

    /// One call to one endpoint, by its name in `endpoints()`; never tried elsewhere, not counted for balancing.
    public func unary(
        on name: String, _ path: String, _ request: Payload, deadline: Deadline?
    ) async throws -> UnaryResponse {
        guard let connection = connection(to: name) else {
            throw RPCError(.unavailable, "endpoint \(name) is not ready", neverStarted: true)
        }
        return try await connection.unary(path, request, metadata: [:], deadline: deadline)
    }

    /// A streaming call on one endpoint; it lives and dies with that connection.
    public func open(_ path: String, metadata: Metadata = [:], deadline: Deadline? = nil) async throws -> ClientCall {
        let (name, connection) = try await pick(excluding: [], deadline: nil)
        let start = now
        do {
            let call = try await connection.open(path, metadata: metadata, deadline: deadline)
            finished(name, since: start, failed: false)
            return call
        } catch {
            finished(name, since: start, failed: true)
            throw error
        }
    }
}
