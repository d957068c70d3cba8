import NIOCore

/// The first attempt of a call, which others may join.
struct BegunAttempt<Answer: Sendable>: Sendable {
    /// Where it went.
    var tried: TriedEndpoints
    /// The time for another one beside it has come.
    var isDue: Bool
    /// Waits for it, if it has not ended.
    var end: @Sendable () async -> HedgeEvent<Answer>
}

extension RPCChannel {
    /// A unary call whose attempts are made one after the other, with a hedge beside one that takes long.
    ///
    /// Nearly all are answered at their first attempt before a hedge is due. That one is made here, in the task of its caller: the
    /// tasks of attempts side by side, and one that sleeps until the hedge is due, would cost a call more than all
    /// else that it needs. What does not go so well goes on there (`hedge`).
    func failover(
        _ path: String, _ request: Payload, _ options: CallOptions, _ rules: FailoverState
    ) async throws -> ChannelResponse {
        var rules = rules
        let tried = TriedEndpoints()
        var next = NextAttempt(path: path, options: options, demand: rules.demand)
        var due = rules.began(now: .now())
        let first: RunningAttempt
        let pending: PendingUnary
        var endpoint: String?
        do {
            try state.checkOpen()
            let supplied = try await source.next(next)
            endpoint = supplied.name
            if let givesUp = rules.givesUp {
                limit(&next.options, on: supplied, givesUp, excluding: [])
            }
            tried.insert(supplied.name)
            // While it waited for an endpoint it needed no other one beside it.
            if let time = due, time <= .now() { due = rules.cannotHedge(now: .now()) }
            first = RunningAttempt(path, &next.options, on: supplied, of: self)
            do { pending = try supplied.connection.begin(path, request, options: next.options, due: due) } catch {
                throw first.failed(error)
            }
        } catch {
            let failure = FailedAttempt(
                number: 1, error: RPCError(of: error), endpoint: endpoint, limit: next.options.deadline)
            return try await hedge(
                path, request, options, rules,
                after: BegunAttempt(tried: tried, isDue: false) { .failed(failure) })
        }
        let limit = next.options.deadline
        let news = await pending.next()
        if case .ended(let result) = news, case .success(let response) = result, response.payload.inflater == nil {
            return ChannelResponse(response: first.answered(response), endpoint: first.supplied.name, retries: 0)
        }
        let isDue = if case .due = news { true } else { false }
        return try await hedge(
            path, request, options, rules,
            after: BegunAttempt(tried: tried, isDue: isDue) {
                await Self.end(of: first, pending, after: news, limit)
            })
    }

    /// - Parameter news: the last that was heard of it.
    private static func end(
        of attempt: RunningAttempt, _ pending: PendingUnary, after news: PendingUnary.News, _ limit: Deadline?
    ) async -> HedgeEvent<ChannelResponse> {
        var news = news
        while true {
            guard case .ended(let result) = news else {
                news = await pending.next()
                continue
            }
            do {
                var response = try result.get()
                try response.inflate()
                return .answered(
                    ChannelResponse(
                        response: attempt.answered(response), endpoint: attempt.supplied.name, retries: 0))
            } catch {
                return .failed(
                    FailedAttempt(
                        number: 1, error: attempt.failed(error), endpoint: attempt.supplied.name, limit: limit))
            }
        }
    }
}
