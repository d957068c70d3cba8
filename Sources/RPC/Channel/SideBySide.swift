import NIOCore

/// Decides about the attempts of a call that may run at the same time.
protocol SideBySide: Sendable {
    /// Attempts that a server may have seen, or may yet.
    var attempts: Int { get }
    /// All attempts after the first, also those that no server saw.
    var retries: Int { get }
    var isSuspect: Bool { get }
    /// Where the next attempt may go.
    var demand: EndpointDemand { get }
    /// How long an attempt may take while another endpoint could be asked; nil: as long as the call.
    var givesUp: RetryPolicy? { get }
    /// Why there are no more attempts, if it was a limit of the channel; to be counted once.
    mutating func takeLimit() -> CallLimit?

    /// An attempt begins, as `start` or `hedge` said. - Returns: when the next one is due.
    mutating func began(now: NIODeadline) -> NIODeadline?
    /// The time that `wait` named has come.
    mutating func due(throttle: RetryThrottle?, now: NIODeadline) -> SideBySideDecision
    /// There is no connection for the attempt that `hedge` wanted. - Returns: when to ask `due` again; nil: not at all.
    mutating func cannotHedge(now: NIODeadline) -> NIODeadline?
    mutating func failed(
        _ failure: RetryState.Failure, throttle: RetryThrottle?, now: NIODeadline,
        using random: inout some RandomNumberGenerator
    ) -> SideBySideDecision
    /// No more attempts, whatever comes.
    mutating func stop() -> SideBySideDecision
    /// What the call ends with after `fail`.
    func ending(_ error: RPCError) -> RPCError
}

enum SideBySideDecision: Equatable {
    /// Begin one more attempt now.
    case start
    /// The same, beside one that runs, if the source has a connection for it at once.
    case hedge
    /// Ask `due` then; nil: wait for an attempt to end.
    case wait(until: NIODeadline?)
    /// The call ends with the error of the attempt that has just failed.
    case fail
}
