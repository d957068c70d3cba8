extension RPCChannel {
    func attemptStream(_ path: String, _ options: CallOptions) async throws -> ClientCall {
        let method = state.configuration.service.method(path)
        let options = options.with(method)
        let policy = options.attempts ?? method.attempts
        if case .hedge(let policy) = policy {
            let call = try await HedgedCall.open(path, on: self, method, options, policy)
            return ClientCall(kind: .attempted(call))
        }
        var series = AttemptSeries(self, options, policy)
        while true {
            var supplied: SuppliedConnection?
            do {
                let picked = try await series.next()
                supplied = picked
                let attempt = try await open(path, series.options(on: picked, mayGiveUp: false), on: picked)
                let call = ReplayedCall(path, on: self, method, series, attempt, endpoint: picked.name)
                return ClientCall(kind: .attempted(call))
            } catch {
                try await AttemptSeries.wait(
                    series.failed(RPCError(of: error), on: supplied?.name, limit: options.deadline))
            }
        }
    }

    /// One attempt; how its beginning went is reported.
    func open(
        _ path: String, _ options: CallOptions, on supplied: SuppliedConnection
    ) async throws -> StreamAttempt {
        do {
            let attempt = try await supplied.connection.attempt(path, options: options)
            source.finished(supplied, .opened)
            return attempt
        } catch {
            let error = RPCError(of: error)
            source.finished(supplied, Task.isCancelled && !error.lostConnection ? .abandoned : .failed(error))
            throw error
        }
    }
}
