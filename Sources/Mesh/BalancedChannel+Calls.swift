import NIOCore
public import RPC

extension BalancedChannel {
    /// The attempts of its calls are RPC's; this is where they meet.
    private var rpc: RPCChannel { RPCChannel(self, sharing: calls) }

    /// One call, on another endpoint if the first fails, within the deadline.
    public func call(
        _ path: String, _ request: Payload, options: CallOptions = CallOptions()
    ) async throws -> ChannelResponse {
        try await rpc.call(path, request, options: options)
    }

    public func unary(
        _ path: String, _ request: Payload, options: CallOptions = CallOptions()
    ) async throws -> UnaryResponse {
        try await rpc.unary(path, request, options: options)
    }

    /// The same for a call that one can do without.
    /// - Parameter outageGrace: while no endpoint is ready it fails, with UNAVAILABLE, so long after the last one was, or at
    ///   once. nil: it waits like others.
    public func call(
        _ path: String, _ request: Payload, options: CallOptions, outageGrace: Duration?
    ) async throws -> ChannelResponse {
        guard let outageGrace else { return try await call(path, request, options: options) }
        return try await RPCChannel(DispensableSource(channel: self, grace: outageGrace), sharing: calls)
            .call(path, request, options: options)
    }

    /// One call to one endpoint, by its name in `endpoints()`; never tried elsewhere, not counted for balancing.
    public func unary(
        on name: String, _ path: String, _ request: Payload, options: CallOptions
    ) async throws -> UnaryResponse {
        guard let connection = connection(to: name) else {
            throw RPCError(.unavailable, "endpoint \(name) is not ready", neverStarted: true)
        }
        var once = RPCChannelConfiguration()
        once.interceptors = configuration.interceptors
        return try await RPCChannel(OneConnection(connection, name: name), configuration: once).unary(
            path, request, options: options)
    }

    /// A streaming call. It may go elsewhere until it is answered; then it lives and dies with its connection.
    public func open(_ path: String, options: CallOptions = CallOptions()) async throws -> ClientCall {
        try await RPCChannel(StreamSource(channel: self), sharing: calls).open(path, options: options)
    }
}

extension BalancedChannel: ConnectionSource {
    public func next(_ attempt: NextAttempt) async throws -> SuppliedConnection {
        try await next(attempt, isStream: false)
    }

    public func hedgeDelay(of path: String) -> Duration? {
        guard configuration.isLastHop else { return nil }
        return hedgeDelay(of: path, among: 2)
    }

    public func hedge(_ attempt: NextAttempt) -> SuppliedConnection? {
        guard let picked = pickHedge(attempt) else { return nil }
        return SuppliedConnection(
            name: picked.name, connection: picked.connection, start: now, path: attempt.path,
            client: attempt.options.client, generation: picked.generation)
    }

    public func finished(_ supplied: SuppliedConnection, _ outcome: AttemptOutcome) {
        finished(supplied, outcome, isStream: false)
    }

    fileprivate func next(
        _ attempt: NextAttempt, isStream: Bool, grace: Duration? = nil
    ) async throws -> SuppliedConnection {
        let picked = try await pick(attempt, isStream: isStream, grace: grace)
        return SuppliedConnection(
            name: picked.name, connection: picked.connection, start: now, path: attempt.path,
            isSuspect: attempt.demand.isSuspect, client: attempt.options.client, generation: picked.generation)
    }

    fileprivate func finished(_ supplied: SuppliedConnection, _ outcome: AttemptOutcome, isStream: Bool) {
        let end = now
        let latency = end - min(end, supplied.start)
        // Where the deadline has passed, this host may have taken its time to see it.
        let given = supplied.deadline.map { $0.instant.uptimeNanoseconds }.map { $0 - min($0, supplied.start) }
        let time = Duration.nanoseconds(Int64(clamping: min(latency, given ?? latency)))
        finished(
            supplied, latency: latency, Balancer.Outcome(outcome, after: time), isStream: isStream, now: end,
            error: outcome.error)
        switch outcome {
        // Whoever is there now may be elsewhere.
        case .failed(let error), .streamed(let error?): if error.code == .unavailable { resolveAgain() }
        default: break
        }
    }
}

/// The same endpoints, for calls that last as long as their clients want: their time says nothing of an endpoint.
private struct StreamSource: ConnectionSource {
    let channel: BalancedChannel

    func next(_ attempt: NextAttempt) async throws -> SuppliedConnection {
        try await channel.next(attempt, isStream: true)
    }

    func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool {
        channel.hasOther(than: endpoint, excluding: tried)
    }

    func finished(_ supplied: SuppliedConnection, _ outcome: AttemptOutcome) {
        channel.finished(supplied, outcome, isStream: true)
    }

    func drain() { channel.drain() }
    func close() { channel.close() }
}

/// The same endpoints, for calls that do not wait long for one.
private struct DispensableSource: ConnectionSource {
    let channel: BalancedChannel
    let grace: Duration

    func next(_ attempt: NextAttempt) async throws -> SuppliedConnection {
        try await channel.next(attempt, isStream: false, grace: grace)
    }

    func hedgeDelay(of path: String) -> Duration? { channel.hedgeDelay(of: path) }
    func hedge(_ attempt: NextAttempt) -> SuppliedConnection? { channel.hedge(attempt) }

    func hasOther(than endpoint: String, excluding tried: Set<String>) -> Bool {
        channel.hasOther(than: endpoint, excluding: tried)
    }

    func finished(_ supplied: SuppliedConnection, _ outcome: AttemptOutcome) {
        channel.finished(supplied, outcome)
    }

    func drain() { channel.drain() }
    func close() { channel.close() }
}

extension AttemptOutcome {
    fileprivate var error: RPCError? {
        switch self {
        case .failed(let error), .streamed(let error?): error
        case .answered, .streamed(nil), .abandoned: nil
        }
    }
}

extension Balancer.Outcome {
    /// An endpoint that had less time than this is not to blame for a missed deadline.
    static var fairTime: Duration { .seconds(1) }

    /// - Parameter time: what the attempt took, but no more than it was given.
    init(_ outcome: AttemptOutcome, after time: Duration) {
        switch outcome {
        case .answered: self = .answered
        case .abandoned: self = .abandoned
        case .streamed(nil): self = .streamed
        case .streamed(let error?):
            self.init(error, after: time)
            // Its client had answers for so long, and set the deadline. What else is no failure is an answer.
            if self != .failed || error.code == .deadlineExceeded && !error.lostConnection { self = .streamed }
        case .failed(let error): self.init(error, after: time)
        }
    }

    /// What an error says of the endpoint.
    init(_ error: RPCError, after time: Duration) {
        switch error.code {
        // We or our caller ended it.
        case .cancelled where !error.lostConnection: self = .unmeasured
        // Full, not ill: an endpoint must not be ejected because all are busy.
        case .resourceExhausted: self = .unmeasured
        // It came to a connection that was about to end: no fault of whoever answers there.
        case _ where error.neverStarted: self = .unmeasured
        case _ where error.lostConnection: self = .failed
        case .deadlineExceeded: self = time < Self.fairTime ? .abandoned : .late
        case .unavailable, .internal, .unknown, .dataLoss: self = .failed
        default: self = .answered
        }
    }
}
