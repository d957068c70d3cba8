extension RPCChannel {
    func attemptStream(_ path: String, _ options: CallOptions) async throws -> ClientCall {
        let method = state.configuration.service.method(path)
        let options = options.with(method)
        let policy = options.attempts ?? method.attempts
        if case .hedge(let policy) = policy {
            let call = try await HedgedCall.open(path, on: self, method, options, policy)
            return ClientCall(kind: .attempted(call))
        }
        var series = AttemptSeries(self, path, options, policy)
        while true {
            var supplied: SuppliedConnection?
            do {
                let picked = try await series.next()
                supplied = picked
                let attempt = try await open(path, series.options(on: picked, mayGiveUp: false), on: picked)
                let call = RetriedCall(path, on: self, method, series, attempt, endpoint: picked.name)
                return ClientCall(kind: .attempted(call))
            } catch {
                try await series.recover(from: RPCError(of: error), on: supplied?.name, limit: options.deadline)
            }
        }
    }

    /// One attempt; its outcome is reported.
    func open(
        _ path: String, _ options: CallOptions, on supplied: SuppliedConnection
    ) async throws -> StreamAttempt {
        var (supplied, options) = (supplied, options)
        supplied.deadline = options.deadline
        let ended = state.attemptInterceptors.isEmpty ? nil : state.begin(path, supplied.name, &options)
        do {
            let attempt = try await supplied.connection.attempt(path, options: options)
            attempt.state.onEnd { [source, supplied, state = attempt.state] error in
                let outcome = AttemptOutcome(ofStream: error, wasAnswered: state.hasResponse)
                source.finished(supplied, outcome)
                ended?(outcome)
            }
            return attempt
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

extension AttemptOutcome {
    /// - Parameters:
    ///   - error: its end; nil: OK.
    ///   - wasAnswered: its response head came.
    init(ofStream error: RPCError?, wasAnswered: Bool) {
        if let error, !wasAnswered { self = .failed(error) } else { self = .streamed(error) }
    }
}
