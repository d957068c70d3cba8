import NIOCore

extension RPCChannel {
    func attempt(_ path: String, _ request: Payload, _ options: CallOptions) async throws -> ChannelResponse {
        let method = state.configuration.service.method(path)
        try method.check(request, path)
        let options = options.with(method)
        let policy = options.attempts ?? method.attempts
        try request.checkLengths()
        let request = try request.deflated(as: options.compression)
        switch policy {
        case .hedge(let policy):
            let rules = HedgeState(
                policy: policy, maxAttempts: state.configuration.maxAttempts, deadline: options.deadline)
            return try await hedge(path, request, options, rules)
        case .retry(let retry):
            guard let delay = hedgeDelay(path, options, retry) else { break }
            let rules = FailoverState(
                retry, maxAttempts: state.configuration.maxAttempts, deadline: options.deadline, hedgeDelay: delay)
            return try await hedge(path, request, options, rules)
        case .once: break
        }
        return try await self.retry(path, request, options, policy)
    }

    /// nil: the attempts of this call are made one after the other.
    private func hedgeDelay(_ path: String, _ options: CallOptions, _ policy: RetryPolicy) -> Duration? {
        guard policy.failover != nil, !options.isSuspect, min(policy.maxAttempts, state.configuration.maxAttempts) > 1,
            let delay = source.hedgeDelay(of: path), options.deadline.map({ delay < $0.remaining }) ?? true
        else { return nil }
        return delay
    }

    private func retry(
        _ path: String, _ request: Payload, _ options: CallOptions, _ policy: AttemptPolicy
    ) async throws -> ChannelResponse {
        var series = AttemptSeries(self, path, options, policy)
        while true {
            var supplied: SuppliedConnection?
            var limit = options.deadline
            do {
                let picked = try await series.next()
                supplied = picked
                let attempt = series.options(on: picked, mayGiveUp: true)
                limit = attempt.deadline
                let response = try await run(path, request, attempt, on: picked)
                return ChannelResponse(response: response, endpoint: picked.name, retries: series.retries)
            } catch {
                do {
                    try await AttemptSeries.wait(series.failed(RPCError(of: error), on: supplied?.name, limit: limit))
                } catch {
                    throw error.after(series.retries, isSuspect: series.isSuspect)
                }
            }
        }
    }

    /// One attempt; its outcome is reported.
    func run(
        _ path: String, _ request: Payload, _ options: CallOptions, on supplied: SuppliedConnection
    ) async throws -> UnaryResponse {
        var (supplied, options) = (supplied, options)
        supplied.deadline = options.deadline
        let ended = state.attemptInterceptors.isEmpty ? nil : state.begin(path, supplied.name, &options)
        do {
            let response = try await supplied.connection.unary(path, request, options: options)
            source.finished(supplied, .answered)
            ended?(.answered)
            state.throttle?.succeeded()
            return response
        } catch {
            var error = RPCError(of: error)
            error.endpoint = supplied.name
            let outcome = Task.isCancelled && !error.lostConnection ? AttemptOutcome.abandoned : .failed(error)
            source.finished(supplied, outcome)
            ended?(outcome)
            throw error
        }
    }
}

extension RPCError {
    func after(_ retries: Int, isSuspect: Bool = false) -> RPCError {
        var error = self
        error.retries = retries
        error.isSuspect = isSuspect
        return error
    }
}

extension CallOptions {
    /// With what the method's configuration says where the call says nothing.
    func with(_ method: MethodConfig) -> CallOptions {
        var options = self
        if waitForReady == nil { options.waitForReady = method.waitForReady }
        if let timeout = method.timeout { options.deadline = min(.after(timeout), deadline ?? .after(timeout)) }
        return options
    }
}
