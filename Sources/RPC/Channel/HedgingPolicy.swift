/// Sends a call again while it still runs, and takes the first answer (gRPC proposal A6, "Hedging Policy"). Only for
/// idempotent calls; applies to unary ones, a streaming call makes one attempt.
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
