package import RPC
import Synchronization
import Tracing

/// Makes each call that a traced task makes a span, and each of its attempts one below that, which is what the server is told.
/// Nothing is begun here: calls of tasks without a trace pass by.
package struct ClientTraces: AttemptInterceptor {
    private let tracer: MeshTracer

    package init(_ tracer: MeshTracer) { self.tracer = tracer }

    package func unary(_ call: OutgoingCall, _ request: Payload, next: UnaryNext) async throws -> ChannelResponse {
        var call = call
        guard let trace = begin(&call) else { return try await next(call, request) }
        do {
            let response = try await next(call, request)
            trace.end(nil, answeredBy: response.endpoint)
            return response
        } catch {
            trace.end(error)
            throw error
        }
    }

    package func open(_ call: OutgoingCall, next: OpenNext) async throws -> ClientCall {
        var call = call
        guard let trace = begin(&call) else { return try await next(call) }
        do {
            let opened = try await next(call)
            opened.onEnd { trace.end($0) }
            return opened
        } catch {
            trace.end(error)
            throw error
        }
    }

    /// nil: the call is not recorded. Its server is told of the trace, if there is one.
    private func begin(_ call: inout OutgoingCall) -> CallTrace? {
        guard let parent = InstrumentationContext.current?.trace else { return nil }
        guard let span = tracer.begin(String(call.path.dropFirst()), .internal, below: parent).span else {
            parent.add(to: &call.options.metadata)
            return nil
        }
        span.describe(call.path)
        let trace = CallTrace(span)
        call.options.values[CallTrace.self] = trace
        return trace
    }

    package func begin(_ attempt: inout OutgoingAttempt) -> AttemptEnd? {
        guard let trace = attempt.options.values[CallTrace.self],
            let span = tracer.begin("attempt", .client, below: trace.span.trace).span
        else { return nil }
        span.describe(attempt.path)
        span.operationName = "\(attempt.path.dropFirst()) attempt"
        span.updateAttributes {
            $0["server.address"] = attempt.endpoint
            $0["rpc.attempt.kind"] = attempt.kind.rawValue
            $0["rpc.attempt.number"] = attempt.number
        }
        span.trace.add(to: &attempt.options.metadata)
        return { [endpoint = attempt.endpoint] outcome in trace.ended(span, at: endpoint, outcome) }
    }
}

/// A call that is recorded, with those of its attempts that have ended: which of them has won is known at the end of the call.
private final class CallTrace: Sendable, CallValueKey {
    typealias Value = CallTrace

    private struct Attempt {
        var span: MeshSpan
        var endpoint: String
        var end: DefaultTracerClock.Timestamp
    }

    let span: MeshSpan
    /// Those that were answered.
    private let answered = Mutex<[Attempt]>([])

    init(_ span: MeshSpan) { self.span = span }

    func ended(_ attempt: MeshSpan, at endpoint: String, _ outcome: AttemptOutcome) {
        let now = DefaultTracerClock.now
        switch outcome {
        case .answered:
            attempt.finish(nil, isFault: false)
            return answered.withLock { $0.append(Attempt(span: attempt, endpoint: endpoint, end: now)) }
        case .streamed(let error):
            attempt.attributes["rpc.attempt.won"] = true
            attempt.finish(error, isFault: true)
        case .failed(let error):
            attempt.attributes["rpc.attempt.won"] = false
            attempt.finish(error, isFault: true)
        case .abandoned:
            attempt.attributes["rpc.attempt.won"] = false
            attempt.finish(RPCError(.cancelled, "another attempt was faster, or nobody waits any more"), isFault: false)
        }
        attempt.end(at: now)
    }

    /// - Parameter endpoint: of a unary call: whose answer counts. All attempts have ended.
    func end(_ error: (any Error)?, answeredBy endpoint: String? = nil) {
        var hasWon = false
        for attempt in answered.withLock({ $0 }) {
            let wins = !hasWon && attempt.endpoint == endpoint
            attempt.span.attributes["rpc.attempt.won"] = wins
            attempt.span.end(at: attempt.end)
            hasWon = hasWon || wins
        }
        span.finish(error.map { $0 as? RPCError ?? RPCError(.unknown, "\($0)") }, isFault: true)
        span.end()
    }
}
