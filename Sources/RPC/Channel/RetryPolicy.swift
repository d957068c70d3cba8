/// Which failed attempts of a call are made again, and when (gRPC proposal A6, "Retry Policy").
///
/// A call is retried until its response head came; from then on it is *committed*. Attempts never begin after the
/// deadline: if the wait before one would outlast it, the call fails at once with the error of the last attempt.
public struct RetryPolicy: Sendable, Equatable {
    /// The first included. `RPCChannelConfiguration.maxAttempts` caps it.
    public var maxAttempts: Int
    /// The wait before the n-th retry, unless the server asks for another one (`grpc-retry-pushback-ms`).
    public var backoff: Backoff
    /// What is worth another attempt.
    public var statusCodes: Set<StatusCode>
    /// Beyond A6. nil: A6 alone.
    public var failover: FailoverPolicy?

    public init(
        maxAttempts: Int = 4,
        backoff: Backoff = Backoff(initial: .milliseconds(50), factor: 2, longest: .seconds(2)),
        statusCodes: Set<StatusCode> = [.unavailable], failover: FailoverPolicy? = nil
    ) {
        self.maxAttempts = maxAttempts
        self.backoff = backoff
        self.statusCodes = statusCodes
        self.failover = failover
    }
}

/// What a channel to several endpoints may do more, if its calls are idempotent:
///
/// - A retry on an endpoint that was not asked yet begins at once, without backoff.
/// - A call whose connection broke is sent once more at once, even if `maxAttempts` is 1 and whatever the throttle says:
///   else one endpoint in trouble, which uses the throttle up, would turn the loss of another one into failed calls.
/// - A full endpoint is passed over.
/// - One that hangs is given up in time to ask another one.
public struct FailoverPolicy: Sendable, Equatable {
    /// "I am full": retried only on an endpoint that was not asked yet. Such a retry costs the throttle no more than
    /// an answer brings.
    public var refusals: Set<StatusCode>
    /// While another endpoint could be asked, an attempt gets half of the time that is left, but no less than this.
    public var fairTime: Duration

    public init(refusals: Set<StatusCode> = [.resourceExhausted], fairTime: Duration = .seconds(1)) {
        self.refusals = refusals
        self.fairTime = fairTime
    }
}
