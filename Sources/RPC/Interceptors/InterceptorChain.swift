import NIOCore

/// The hooks of all interceptors at one method, in the order of the server's list. Made when the server starts.
final class InterceptorChain: Sendable {
    private let hooks: [CallHooks]
    /// The clock is read only when somebody wants to know.
    let isTimed: Bool

    /// nil if nobody looks at the calls of `method`.
    init?(_ interceptors: [any ServerInterceptor], method: MethodDescription) {
        hooks = interceptors.map { $0.hooks(for: method) }.filter { !$0.isNone }
        isTimed = hooks.contains { $0.finished != nil }
        if hooks.isEmpty { return nil }
    }

    /// At the head of a request.
    /// - Parameter start: when it came.
    /// - Throws: the status, if the call is refused; who has admitted it was told.
    func admit(_ context: inout CallContext, at start: NIODeadline) throws(RPCError) {
        for index in hooks.indices {
            guard let admit = hooks[index].admit else { continue }
            do {
                try admit(&context)
            } catch {
                let refusal = RPCError(handler: error)
                report(context, refusal, since: start, traffic: CallTraffic(), to: index)
                throw refusal
            }
        }
    }

    /// A request that is not fit to be a call: whoever would have admitted it is told how it ended. Who would refuse it
    /// says nothing, since that is not why.
    func report(unfit context: CallContext, _ error: RPCError, at time: NIODeadline) {
        guard isTimed else { return }
        let duration = Duration.nanoseconds((NIODeadline.now() - time).nanoseconds)
        let report = CallReport(error: error, duration: duration, traffic: CallTraffic())
        for hooks in hooks {
            guard let finished = hooks.finished else { continue }
            var context = context
            do { try hooks.admit?(&context) } catch { continue }
            finished(context, report)
        }
    }

    /// At the end of a call that was admitted.
    /// - Parameter error: nil for OK.
    func report(
        _ context: CallContext, _ error: RPCError?, since start: NIODeadline, traffic: CallTraffic,
        times: CallTimes = CallTimes()
    ) {
        report(context, error, since: start, traffic: traffic, times: times, to: hooks.count)
    }

    private func report(
        _ context: CallContext, _ error: RPCError?, since start: NIODeadline, traffic: CallTraffic,
        times: CallTimes = CallTimes(), to end: Int
    ) {
        guard isTimed else { return }
        let now = NIODeadline.now()
        var report = CallReport(
            error: error, duration: .nanoseconds((now - start).nanoseconds), traffic: traffic)
        report.receive = times.received.map { .nanoseconds(($0 - start).nanoseconds) }
        report.send = times.handled.map { .nanoseconds((now - $0).nanoseconds) }
        for index in (0..<end).reversed() { hooks[index].finished?(context, report) }
    }

    /// `handler` inside of all `around`, the first one outermost.
    func wrap(_ handler: RPCHandler) -> RPCHandler {
        hooks.reversed().reduce(handler) { inner, hooks in
            guard let around = hooks.around else { return inner }
            switch inner {
            case .immediate: return inner
            case .unary(let body):
                return .unary { context, request in
                    var response: UnaryResponse?
                    try await around(context) { response = try await body(context, request) }
                    guard let response else { throw Self.handlerWasLeftOut }
                    return response
                }
            case .stream(let body):
                return .stream { context, requests, responses in
                    var hasRun = false
                    try await around(context) {
                        try await body(context, requests, responses)
                        hasRun = true
                    }
                    guard hasRun else { throw Self.handlerWasLeftOut }
                }
            }
        }
    }

    private static let handlerWasLeftOut = RPCError(.internal, "an interceptor neither ran the handler nor refused")
}

/// When a unary call went on.
struct CallTimes {
    /// Its request is here whole.
    var received: NIODeadline?
    /// Its handler has the answer.
    var handled: NIODeadline?
}
