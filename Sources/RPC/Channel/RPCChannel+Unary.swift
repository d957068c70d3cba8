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
                policy: policy, maxAttempts: state.configuration.maxAttempts,
                maxUnsent: state.configuration.maxUnsentAttempts, deadline: options.deadline)
            return try await hedge(path, request, options, rules)
        case .retry(let retry):
            guard let delay = hedgeDelay(path, options, retry) else { break }
            let rules = FailoverState(
                retry, maxAttempts: state.configuration.maxAttempts,
                maxUnsent: state.configuration.maxUnsentAttempts, deadline: options.deadline, hedgeDelay: delay)
            return try await failover(path, request, options, rules)
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
                    try await series.recover(from: RPCError(of: error), on: supplied?.name, limit: limit)
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
        var options = options
        let attempt = RunningAttempt(path, &options, on: supplied, of: self)
        do {
            return attempt.answered(try await supplied.connection.unary(path, request, options: options))
        } catch {
            throw attempt.failed(error)
        }
    }
}

/// One attempt of a unary call, whose outcome is reported once, by `answered` or `failed`.
struct RunningAttempt: Sendable {
    let supplied: SuppliedConnection
    private let channel: RPCChannel
    private let ended: AttemptInterceptor.AttemptEnd?

    /// - Parameter options: as interceptors leave them.
    init(
        _ path: String, _ options: inout CallOptions, on supplied: SuppliedConnection, of channel: RPCChannel
    ) {
        var supplied = supplied
        supplied.deadline = options.deadline
        self.supplied = supplied
        self.channel = channel
        let state = channel.state
        ended = state.attemptInterceptors.isEmpty ? nil : state.begin(path, supplied.name, &options)
    }

    func answered(_ response: UnaryResponse) -> UnaryResponse {
        channel.source.finished(supplied, .answered)
        ended?(.answered)
        channel.state.throttle?.succeeded()
        return response
    }

    /// - Returns: what the attempt ended with.
    func failed(_ error: any Error) -> RPCError {
        var error = RPCError(of: error)
        error.endpoint = supplied.name
        let outcome = Task.isCancelled && !error.lostConnection ? AttemptOutcome.abandoned : .failed(error)
        channel.source.finished(supplied, outcome)
        ended?(outcome)
        return error
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
        if let most = method.maxResponseBytes { options.maxResponseBytes = min(most, maxResponseBytes ?? most) }
        if let timeout = method.timeout { options.deadline = min(.after(timeout), deadline ?? .after(timeout)) }
        return options
    }
}
