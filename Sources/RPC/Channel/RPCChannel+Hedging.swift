import NIOCore

extension RPCChannel {
    private enum HedgeEvent: Sendable {
        case answered(ChannelResponse)
        case failed(RPCError, hadConnection: Bool)
        case due
    }

    /// The first answer counts; the other attempts are cancelled.
    func hedge(
        _ path: String, _ request: Payload, _ options: CallOptions, _ policy: HedgingPolicy
    ) async throws -> ChannelResponse {
        var rules = HedgeState(
            policy: policy, maxAttempts: state.configuration.maxAttempts, deadline: options.deadline)
        let tried = TriedEndpoints()
        return try await withThrowingTaskGroup(of: HedgeEvent.self) { tasks in
            defer { tasks.cancelAll() }
            func start() {
                var options = options
                options.previousAttempts = rules.attempts
                tasks.addTask { await hedge(path, request, options, tried) }
                wake(at: rules.began(now: .now()))
            }
            func wake(at time: NIODeadline?) {
                guard let time else { return }
                tasks.addTask {
                    try? await Task.sleep(for: Deadline(instant: time).remaining)
                    return .due
                }
            }
            start()
            var reason = RPCError(.internal, "hedged call of \(path) has no attempt")
            while let event = try await tasks.next() {
                var decision: HedgeState.Decision
                switch event {
                case .answered(var response):
                    response.retries = rules.retries
                    return response
                case .failed(let error, let hadConnection):
                    reason = error
                    state.count(error, hadConnection: hadConnection)
                    decision = rules.failed(
                        error, hadConnection: hadConnection, throttle: state.throttle, now: .now())
                case .due:
                    decision = rules.due(throttle: state.throttle, now: .now())
                }
                if let limit = rules.takeLimit() { state.count(limit, reason.message) }
                if decision == .start, Task.isCancelled || state.isDraining { decision = rules.stop() }
                switch decision {
                case .start: start()
                case .wait(let time): wake(at: time)
                case .fail: throw reason
                }
            }
            throw reason
        }
    }

    private func hedge(
        _ path: String, _ request: Payload, _ options: CallOptions, _ tried: TriedEndpoints
    ) async -> HedgeEvent {
        var hadConnection = false
        do {
            try state.checkOpen()
            let supplied = try await source.next(excluding: tried.names, options: options)
            hadConnection = true
            tried.insert(supplied.name)
            let response = try await run(path, request, options, on: supplied)
            return .answered(ChannelResponse(response: response, endpoint: supplied.name, retries: 0))
        } catch {
            return .failed(RPCError(of: error), hadConnection: hadConnection)
        }
    }
}
