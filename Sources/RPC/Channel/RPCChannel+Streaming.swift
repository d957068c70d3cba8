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
                let call = ReplayedCall(path, on: self, method, series, attempt, endpoint: picked.name)
                return ClientCall(kind: .attempted(call))
            } catch {
                try await AttemptSeries.wait(
                    series.failed(RPCError(of: error), on: supplied?.name, limit: options.deadline))
            }
        }
    }

    /// One attempt; its outcome is reported.
    func open(
        _ path: String, _ options: CallOptions, on supplied: SuppliedConnection
    ) async throws -> StreamAttempt {
        var supplied = supplied
        supplied.deadline = options.deadline
        do {
            let attempt = try await supplied.connection.attempt(path, options: options)
            attempt.state.onEnd { [source, supplied, state = attempt.state] error in
                source.finished(supplied, AttemptOutcome(ofStream: error, wasAnswered: state.hasResponse))
            }
            return attempt
        } catch {
            let error = RPCError(of: error)
            source.finished(supplied, Task.isCancelled && !error.lostConnection ? .abandoned : .failed(error))
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
