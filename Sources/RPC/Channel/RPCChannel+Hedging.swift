import NIOCore

enum HedgeEvent<Answer: Sendable>: Sendable {
    case answered(Answer)
    case failed(FailedAttempt)
    case due
}

/// An attempt of a call that has several.
struct FailedAttempt {
    var number: Int
    var error: RPCError
    /// nil: there was no connection.
    var endpoint: String?
    /// Its deadline.
    var limit: Deadline?
}

extension RPCChannel {
    /// A unary call. The first answer counts; the other attempts are cancelled.
    func hedge(
        _ path: String, _ request: Payload, _ options: CallOptions, _ rules: some SideBySide
    ) async throws -> ChannelResponse {
        try await hedge(path, request, options, rules, after: nil)
    }

    /// - Parameter begun: its first attempt, if that runs or has failed already.
    func hedge(
        _ path: String, _ request: Payload, _ options: CallOptions, _ rules: some SideBySide,
        after begun: BegunAttempt<ChannelResponse>?
    ) async throws -> ChannelResponse {
        let first = try await hedge(path, options, rules, after: begun) { _, options, supplied in
            let response = try await run(path, request, options, on: supplied)
            return ChannelResponse(response: response, endpoint: supplied.name, retries: 0)
        }
        guard var response = first?.answer else { throw Self.noAttempt(path) }
        response.retries = first?.retries ?? 0
        return response
    }

    /// Runs the attempts of a call side by side, begun as `rules` say, until one is answered or there is none left.
    /// Those that still run then are cancelled.
    /// - Parameters:
    ///   - begun: the first attempt, of which `rules` know, where there is one already.
    ///   - attempt: makes one attempt: its number, from 1, with its options, on its connection.
    ///   - failed: an attempt has ended without an answer.
    ///   - isWanted: asked whenever an attempt has ended.
    /// - Returns: the first answer, and the attempts beyond the first; nil: `isWanted` has said no.
    /// - Throws: the error of the attempt that failed last.
    func hedge<Answer: Sendable>(
        _ path: String, _ options: CallOptions, _ rules: some SideBySide, after begun: BegunAttempt<Answer>? = nil,
        attempt: @escaping @Sendable (Int, CallOptions, SuppliedConnection) async throws -> Answer,
        failed: (Int) -> Void = { _ in }, isWanted: () -> Bool = { true }
    ) async throws -> (answer: Answer, retries: Int)? {
        var rules = rules
        var random = SystemRandomNumberGenerator()
        let tried = begun?.tried ?? TriedEndpoints()
        return try await withThrowingTaskGroup(of: HedgeEvent<Answer>.self) { tasks in
            defer { tasks.cancelAll() }
            var count = 0
            var running = 0
            func start(_ kind: OutgoingAttempt.Kind, on supplied: SuppliedConnection? = nil) {
                var next = NextAttempt(path: path, options: options, demand: rules.demand)
                next.options.previousAttempts = rules.attempts
                count += 1
                running += 1
                next.options.place = AttemptPlace(number: count, kind: kind)
                let due = rules.began(now: .now())
                // Asked when this one counts: the last gives up for no other.
                tasks.addTask { [count, next, givesUp = rules.givesUp] in
                    await event(count, next, supplied, tried, givesUp, attempt)
                }
                wake(at: due)
            }
            func hedge() {
                let next = NextAttempt(path: path, options: options, tried: tried.names, demand: rules.demand)
                // An attempt that waits for an endpoint needs no other one beside it.
                guard !next.tried.isEmpty, let supplied = source.hedge(next) else {
                    return wake(at: rules.cannotHedge(now: .now()))
                }
                state.attempts?.hedged()
                start(.hedge, on: supplied)
            }
            func wake(at time: NIODeadline?) {
                guard let time else { return }
                // Where no attempt runs, nothing else would end the call of a channel that drains.
                let isAlone = running == 0
                tasks.addTask {
                    let wait = Deadline(instant: time).remaining
                    if isAlone { await state.sleep(wait) } else { try? await Task.sleep(for: wait) }
                    return .due
                }
            }
            func ending(_ error: RPCError) -> RPCError {
                rules.ending(error).after(rules.retries, isSuspect: rules.isSuspect)
            }
            if let begun {
                (count, running) = (1, 1)
                tasks.addTask { await begun.end() }
                if begun.isDue { wake(at: .now()) }
            } else {
                start(.first)
            }
            var reason = Self.noAttempt(path)
            while let event = try await tasks.next() {
                var decision: SideBySideDecision
                var kind = OutgoingAttempt.Kind.retry
                switch event {
                case .answered(let answer): return (answer, rules.retries)
                case .failed(let attempt):
                    failed(attempt.number)
                    running -= 1
                    reason = attempt.error
                    state.count(reason, hadConnection: attempt.endpoint != nil)
                    decision = rules.failed(
                        failure(attempt, options, tried), throttle: state.throttle, now: .now(), using: &random)
                // Where the call is cancelled, or the channel drains, its time has not come: each sleep would end at once,
                // again and again.
                case .due:
                    decision =
                        Task.isCancelled || state.isDraining
                        ? rules.stop() : rules.due(throttle: state.throttle, now: .now())
                    if running > 0 { kind = .hedge }
                }
                if let limit = rules.takeLimit() { state.count(limit, reason.message) }
                guard isWanted() else { return nil }
                if decision == .start || decision == .hedge, Task.isCancelled || state.isDraining {
                    decision = rules.stop()
                }
                switch decision {
                case .start:
                    if kind == .hedge { state.attempts?.hedged() } else { state.attempts?.retried(after: reason.code) }
                    start(kind)
                case .hedge: hedge()
                case .wait(let time): wake(at: time)
                case .fail:
                    if Task.isCancelled, reason.code != .cancelled {
                        reason = RPCError(.cancelled, "call was cancelled", cause: reason)
                    }
                    throw ending(reason)
                }
            }
            throw ending(reason)
        }
    }

    private func failure(
        _ attempt: FailedAttempt, _ options: CallOptions, _ tried: TriedEndpoints
    ) -> RetryState.Failure {
        var failure = RetryState.Failure(error: attempt.error, hadConnection: attempt.endpoint != nil)
        if let endpoint = attempt.endpoint {
            failure.hasMoreTime = attempt.limit != options.deadline
            failure.hasOther = source.hasOther(than: endpoint, excluding: tried.names)
        }
        return failure
    }

    /// - Parameter supplied: nil: the source is asked for a connection.
    private func event<Answer>(
        _ number: Int, _ next: NextAttempt, _ supplied: SuppliedConnection?, _ tried: TriedEndpoints,
        _ givesUp: RetryPolicy?, _ attempt: (Int, CallOptions, SuppliedConnection) async throws -> Answer
    ) async -> HedgeEvent<Answer> {
        var next = next
        var endpoint: String?
        do {
            if supplied == nil { try state.checkOpen() }
            next.tried = tried.names
            let supplied = if let supplied { supplied } else { try await source.next(next) }
            endpoint = supplied.name
            if let givesUp {
                limit(&next.options, on: supplied, givesUp, excluding: next.tried)
            }
            tried.insert(supplied.name)
            return .answered(try await attempt(number, next.options, supplied))
        } catch {
            return .failed(
                FailedAttempt(
                    number: number, error: RPCError(of: error), endpoint: endpoint, limit: next.options.deadline))
        }
    }

    static func noAttempt(_ path: String) -> RPCError {
        RPCError(.internal, "hedged call of \(path) has no attempt")
    }
}
