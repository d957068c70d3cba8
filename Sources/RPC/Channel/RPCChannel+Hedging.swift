import NIOCore

private enum HedgeEvent<Answer: Sendable>: Sendable {
    case answered(Answer)
    case failed(number: Int, RPCError, hadConnection: Bool)
    case due
}

extension RPCChannel {
    /// A unary call. The first answer counts; the other attempts are cancelled.
    func hedge(
        _ path: String, _ request: Payload, _ options: CallOptions, _ policy: HedgingPolicy
    ) async throws -> ChannelResponse {
        let first = try await hedge(path, options, policy) { _, options, supplied in
            let response = try await run(path, request, options, on: supplied)
            return ChannelResponse(response: response, endpoint: supplied.name, retries: 0)
        }
        guard var response = first?.answer else { throw Self.noAttempt(path) }
        response.retries = first?.retries ?? 0
        return response
    }

    /// Runs the attempts of a call side by side, begun as `HedgeState` says, until one is answered or there is none left.
    /// Those that still run then are cancelled.
    /// - Parameters:
    ///   - attempt: makes one attempt: its number, from 1, with its options, on its connection.
    ///   - failed: an attempt has ended without an answer.
    ///   - isWanted: asked whenever an attempt has ended.
    /// - Returns: the first answer, and the attempts beyond the first; nil: `isWanted` has said no.
    /// - Throws: the error of the attempt that failed last.
    func hedge<Answer: Sendable>(
        _ path: String, _ options: CallOptions, _ policy: HedgingPolicy,
        attempt: @escaping @Sendable (Int, CallOptions, SuppliedConnection) async throws -> Answer,
        failed: (Int) -> Void = { _ in }, isWanted: () -> Bool = { true }
    ) async throws -> (answer: Answer, retries: Int)? {
        var rules = HedgeState(
            policy: policy, maxAttempts: state.configuration.maxAttempts, deadline: options.deadline)
        let tried = TriedEndpoints()
        return try await withThrowingTaskGroup(of: HedgeEvent<Answer>.self) { tasks in
            defer { tasks.cancelAll() }
            var count = 0
            func start() {
                var options = options
                options.previousAttempts = rules.attempts
                count += 1
                tasks.addTask { [count, options] in await event(count, options, tried, attempt) }
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
            var reason = Self.noAttempt(path)
            while let event = try await tasks.next() {
                var decision: HedgeState.Decision
                switch event {
                case .answered(let answer): return (answer, rules.retries)
                case .failed(let number, let error, let hadConnection):
                    failed(number)
                    reason = error
                    state.count(error, hadConnection: hadConnection)
                    decision = rules.failed(error, hadConnection: hadConnection, throttle: state.throttle, now: .now())
                case .due: decision = rules.due(throttle: state.throttle, now: .now())
                }
                if let limit = rules.takeLimit() { state.count(limit, reason.message) }
                guard isWanted() else { return nil }
                if decision == .start, Task.isCancelled || state.isDraining { decision = rules.stop() }
                switch decision {
                case .start: start()
                case .wait(let time): wake(at: time)
                case .fail: throw reason.after(rules.retries)
                }
            }
            throw reason.after(rules.retries)
        }
    }

    private func event<Answer>(
        _ number: Int, _ options: CallOptions, _ tried: TriedEndpoints,
        _ attempt: (Int, CallOptions, SuppliedConnection) async throws -> Answer
    ) async -> HedgeEvent<Answer> {
        var hadConnection = false
        do {
            try state.checkOpen()
            let supplied = try await source.next(excluding: tried.names, options: options)
            hadConnection = true
            tried.insert(supplied.name)
            return .answered(try await attempt(number, options, supplied))
        } catch {
            return .failed(number: number, RPCError(of: error), hadConnection: hadConnection)
        }
    }

    private static func noAttempt(_ path: String) -> RPCError {
        RPCError(.internal, "hedged call of \(path) has no attempt")
    }
}
