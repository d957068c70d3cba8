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
/// - A full endpoint is passed over, and so is one that is at fault.
/// - One that hangs is given up in time to ask another one, or a second one is asked beside it, if the source of the
///   connections says after how long (`ConnectionSource.hedgeDelay`).
/// - A call that its endpoint may have died of is kept apart.
public struct FailoverPolicy: Sendable, Equatable {
    /// "I am full": retried only on an endpoint that was not asked yet. Such a retry costs the throttle no more than
    /// an answer brings.
    public var refusals: Set<StatusCode>
    /// "I cannot", which another endpoint may: retried only on an endpoint that was not asked yet, whether a response
    /// head came or not. Costs the throttle as much as any retry.
    public var faults: Set<StatusCode>
    /// While another endpoint could be asked, an attempt gets half of the time that is left, but no less than this.
    public var fairTime: Duration
    /// A call whose connection broke is *suspect*: it runs where no other suspect does, is not hedged, and when that
    /// connection breaks too, the call has failed. So a call that its endpoints die of costs two of them, and those
    /// that shared the first one with it are not lost with the second.
    public var isolatesSuspects: Bool

    public init(
        refusals: Set<StatusCode> = [.resourceExhausted], faults: Set<StatusCode> = [],
        fairTime: Duration = .seconds(1), isolatesSuspects: Bool = false
    ) {
        self.refusals = refusals
        self.faults = faults
        self.fairTime = fairTime
        self.isolatesSuspects = isolatesSuspects
    }
}
