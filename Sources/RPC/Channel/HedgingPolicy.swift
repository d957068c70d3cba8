/// Sends a call again while it still runs, and takes the first answer (gRPC proposal A6, "Hedging Policy"). Only for
/// idempotent calls.
///
/// Of a streaming call the first response head counts. Until then what is sent goes to all attempts, and is kept, within
/// `maxReplayBytes`, for those to come; what goes beyond that ends the hedging, and the oldest attempt is the call.
public struct HedgingPolicy: Sendable, Equatable {
    /// The first included. `RPCChannelConfiguration.maxAttempts` caps it.
    public var maxAttempts: Int
    /// Between two attempts; zero sends all at once.
    public var delay: Duration
    /// After these the other attempts go on, and the next one begins at once. Any other status ends the call.
    public var nonFatalStatusCodes: Set<StatusCode>

    public init(maxAttempts: Int = 2, delay: Duration, nonFatalStatusCodes: Set<StatusCode> = [.unavailable]) {
        self.maxAttempts = maxAttempts
        self.delay = delay
        self.nonFatalStatusCodes = nonFatalStatusCodes
    }
}
