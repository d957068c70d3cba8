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
struct Verdict: Equatable {
    var outcome: Balancer<String>.Outcome
    var retries: Bool

    /// An endpoint that had less time than this is not to blame for a missed deadline.
    static let fairTime: Duration = .seconds(1)

    /// - Parameters:
    ///   - time: what the attempt took.
    ///   - hasMoreTime: the attempt's deadline was sooner than that of its call.
    static func on(_ error: RPCError, after time: Duration, hasMoreTime: Bool = false) -> Verdict {
        switch error.code {
        // We or our caller ended it.
        case .cancelled where !error.lostConnection: return Verdict(outcome: .unmeasured, retries: false)
        // Full, not ill: an endpoint must not be ejected because all are busy.
        case .resourceExhausted: return Verdict(outcome: .unmeasured, retries: true)
        case .aborted: return Verdict(outcome: .answered, retries: true)
        default: break
        }
        // It came to a connection that was about to end: no fault of whoever answers there.
        if error.neverStarted { return Verdict(outcome: .unmeasured, retries: true) }
        if error.lostConnection || error.code == .unavailable { return Verdict(outcome: .failed, retries: true) }
        switch error.code {
        case .deadlineExceeded:
            return Verdict(outcome: time < fairTime ? .unmeasured : .failed, retries: hasMoreTime)
        case .internal, .unknown, .dataLoss: return Verdict(outcome: .failed, retries: false)
        default: return Verdict(outcome: .answered, retries: false)
        }
    }
}

extension BalancedChannel {
    /// One call, on another endpoint if the first fails, within the deadline.
    public func call(
        _ path: String, _ request: Payload, options: CallOptions = CallOptions()
    ) async throws -> ChannelResponse {
        let deadline = options.deadline
        var tried: Set<String> = []
        var retries = 0
        while true {
            let (name, connection) = try await pick(excluding: tried, deadline: deadline)
            let start = now
            let limit = retries + 1 < configuration.maxAttempts ? limit(of: name, after: tried, deadline) : deadline
            do {
                var attempt = options
                attempt.deadline = limit
                let response = try await connection.unary(path, request, options: attempt)
                finished(name, since: start, .answered)
                return ChannelResponse(response: response, endpoint: name, retries: retries)
            } catch {
                let error = error as? RPCError ?? RPCError(.unknown, "\(error)", cause: error)
                let verdict = Verdict.on(error, after: time(since: start), hasMoreTime: limit != deadline)
                finished(name, since: start, verdict.outcome)
                tried.insert(name)
                guard verdict.retries, retries + 1 < configuration.maxAttempts, !Task.isCancelled,
                    !(deadline?.hasPassed ?? false),
                    // A full endpoint is not asked twice; a lost one may be back.
                    error.code != .resourceExhausted || hasReady(besides: tried)
                else { throw error }
                retries += 1
                logger.debug(
                    "trying another endpoint", metadata: ["failed": "\(name)", "error": "\(error.message)"])
            }
        }
    }

    /// The deadline of one attempt. While another endpoint could still be asked, one that hangs gets only half of the
    /// time that is left, but no less than `Verdict.fairTime`.
    private func limit(of name: String, after tried: Set<String>, _ deadline: Deadline?) -> Deadline? {
        guard let deadline, hasReady(besides: tried.union([name])) else { return deadline }
        return min(deadline, .after(max(deadline.remaining / 2, Verdict.fairTime)))
    }

    private func time(since start: UInt64) -> Duration { .nanoseconds(Int64(clamping: now - min(now, start))) }

    public func unary(
        _ path: String, _ request: Payload, options: CallOptions
    ) async throws -> UnaryResponse {
        try await call(path, request, options: options).response
    }

    /// One call to one endpoint, by its name in `endpoints()`; never tried elsewhere, not counted for balancing.
    public func unary(
        on name: String, _ path: String, _ request: Payload, options: CallOptions
    ) async throws -> UnaryResponse {
        guard let connection = connection(to: name) else {
            throw RPCError(.unavailable, "endpoint \(name) is not ready", neverStarted: true)
        }
        return try await connection.unary(path, request, options: options)
    }

    /// A streaming call on one endpoint; it lives and dies with that connection.
    public func open(_ path: String, options: CallOptions = CallOptions()) async throws -> ClientCall {
        let (name, connection) = try await pick(excluding: [], deadline: options.deadline)
        let start = now
        do {
            let call = try await connection.open(path, options: options)
            finished(name, since: start, .unmeasured)
            return call
        } catch {
            let error = error as? RPCError ?? RPCError(.unknown, "\(error)", cause: error)
            finished(name, since: start, Verdict.on(error, after: time(since: start)).outcome)
            throw error
        }
    }
}
