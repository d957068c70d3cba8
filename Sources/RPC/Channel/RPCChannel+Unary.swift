import NIOCore

extension RPCChannel {
    func attempt(_ path: String, _ request: Payload, _ options: CallOptions) async throws -> ChannelResponse {
        let method = state.configuration.service.method(path)
        try method.check(request, path)
        let options = options.with(method)
        let policy = options.attempts ?? method.attempts
        try request.checkLengths()
        let request = try request.deflated(as: options.compression)
        if case .hedge(let policy) = policy { return try await hedge(path, request, options, policy) }
        return try await retry(path, request, options, policy)
    }

    private func retry(
        _ path: String, _ request: Payload, _ options: CallOptions, _ policy: AttemptPolicy
    ) async throws -> ChannelResponse {
        var series = AttemptSeries(self, options, policy)
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
                    throw error.after(series.retries)
                }
            }
        }
    }

    /// One attempt; its outcome is reported.
    func run(
        _ path: String, _ request: Payload, _ options: CallOptions, on supplied: SuppliedConnection
    ) async throws -> UnaryResponse {
        var supplied = supplied
        supplied.deadline = options.deadline
        do {
            let response = try await supplied.connection.unary(path, request, options: options)
            source.finished(supplied, .answered)
            state.throttle?.succeeded()
            return response
        } catch {
            let error = RPCError(of: error)
            source.finished(supplied, Task.isCancelled && !error.lostConnection ? .abandoned : .failed(error))
            throw error
        }
    }
}

extension RPCError {
    func after(_ retries: Int) -> RPCError {
        var error = self
        error.retries = retries
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
