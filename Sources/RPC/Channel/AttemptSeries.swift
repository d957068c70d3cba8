import NIOCore

/// The attempts of one call, one after the other: where the next one goes, and whether there is one.
struct AttemptSeries {
    let channel: RPCChannel
    let path: String
    let options: CallOptions
    private var rules: RetryState
    private var tried: Set<String> = []

    init(_ channel: RPCChannel, _ path: String, _ options: CallOptions, _ policy: AttemptPolicy) {
        self.channel = channel
        self.path = path
        self.options = options
        rules = RetryState(
            policy: policy.retryPolicy, maxAttempts: channel.state.configuration.maxAttempts,
            maxUnsent: channel.state.configuration.maxUnsentAttempts, deadline: options.deadline,
            isSuspect: options.isSuspect)
    }

    var retries: Int { rules.retries }
    var isSuspect: Bool { rules.isSuspect }

    func next() async throws -> SuppliedConnection {
        try channel.state.checkOpen()
        return try await channel.source.next(
            NextAttempt(path: path, options: options, tried: tried, demand: rules.demand))
    }

    /// The options of an attempt on `supplied`.
    /// - Parameter mayGiveUp: its deadline may be sooner than that of the call.
    func options(on supplied: SuppliedConnection, mayGiveUp: Bool) -> CallOptions {
        var attempt = options
        attempt.previousAttempts = rules.previousAttempts
        attempt.place = AttemptPlace(number: retries + 1, kind: retries == 0 ? .first : .retry)
        if mayGiveUp, rules.hasNext, let policy = rules.policy {
            channel.limit(&attempt, on: supplied, policy, excluding: tried)
        }
        return attempt
    }

    /// An attempt, or the search for its connection, has failed.
    /// - Parameters:
    ///   - endpoint: where; nil: there was no connection.
    ///   - limit: the deadline of the attempt.
    /// - Returns: how long to wait before the next one. - Throws: `error`, if there is none.
    mutating func failed(_ error: RPCError, on endpoint: String?, limit: Deadline?) throws(RPCError) -> Duration {
        channel.state.count(error, hadConnection: endpoint != nil)
        var failure = RetryState.Failure(error: error)
        failure.hadConnection = endpoint != nil
        if let endpoint {
            failure.hasMoreTime = limit != options.deadline
            if rules.policy?.failover != nil {
                failure.hasOther = channel.source.hasOther(than: endpoint, excluding: tried)
            }
            tried.insert(endpoint)
        }
        if Task.isCancelled, error.code != .cancelled {
            throw RPCError(.cancelled, "call was cancelled", cause: error)
        }
        guard !Task.isCancelled, !channel.state.isDraining else { throw error }
        var random = SystemRandomNumberGenerator()
        switch rules.failed(failure, throttle: channel.state.throttle, now: .now(), using: &random) {
        case .retry(let wait):
            channel.state.attempts?.retried(after: error.code)
            return wait
        case .leave, .fail:
            if let limit = rules.limit { channel.state.count(limit, error.message) }
            throw rules.ending(error)
        }
    }

    /// The same, and waits.
    /// - Throws: as `failed`, and as `ChannelState.pause`.
    mutating func recover(from error: RPCError, on endpoint: String?, limit: Deadline?) async throws(RPCError) {
        let wait = try failed(error, on: endpoint, limit: limit)
        try await channel.state.pause(wait, after: error)
    }
}

extension RPCChannel {
    /// How long an attempt on `supplied` may take, if there may be another one: not all of the time of its call, while another
    /// endpoint could be asked.
    /// - Parameter attempt: with the deadline of its call.
    func limit(
        _ attempt: inout CallOptions, on supplied: SuppliedConnection, _ policy: RetryPolicy,
        excluding tried: Set<String>
    ) {
        guard let deadline = attempt.deadline, let failover = policy.failover,
            source.hasOther(than: supplied.name, excluding: tried)
        else { return }
        let left = deadline.remaining
        let time = max(left / 2, failover.fairTime)
        guard time < left else { return }
        attempt.deadline = .after(time)
        CallTime.tell(left, of: time, in: &attempt.metadata)
    }
}

extension RPCError {
    /// What was thrown where only `RPCError` should be.
    init(of error: any Error) {
        switch error {
        case let error as RPCError: self = error
        case is CancellationError: self = RPCError(.cancelled, "call was cancelled", cause: error)
        default: self = RPCError(.unknown, SystemError.text(error), cause: error)
        }
        isWithheld = true
    }
}
